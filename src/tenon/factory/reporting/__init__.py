"""Job reporting: report codes, workers' reports, their undoing, what a planner must look at."""
