"""Flows: what starts them, their interpreter, their steps, notices to people."""
