"""Work for people: unknown codes to be linked, created or ignored."""
