"""How the plant's life gets into its systems: rows, their faults, and the truth beside them."""
