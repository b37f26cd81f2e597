"""Vocabulary without dependencies: ids, clock, decimals, text, errors by recovery, fault points."""
