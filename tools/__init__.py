"""Checks and scripts for developers; never part of a release."""
