"""The factory's own steps of flows, one file each."""
