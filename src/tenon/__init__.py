"""Tenon (榫): a self-hosted business connection layer for discrete manufacturers."""

__version__ = "0.1.0"
