"""Benchmarks: each file is a command that runs Tenon beside the floor or a peer."""
