"""Access: accounts, sessions, throttles, roles; the only door to records above this room."""
