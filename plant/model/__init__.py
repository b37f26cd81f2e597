"""The discrete-event model of the plant: what really happens, seeded and repeatable."""
