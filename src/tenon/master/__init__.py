"""Golden records: one thing over all systems, its codes in each, and how they were matched."""
