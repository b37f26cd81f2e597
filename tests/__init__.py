"""Tenon's tests: unit, service (real servers), faults, security, e2e (browser)."""
