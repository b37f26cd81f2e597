"""The two sides of `engine`, each a process of its own, asked for the same things."""
