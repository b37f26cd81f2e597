"""What the long-running commands log."""

from __future__ import annotations

import logging


def begin_logging() -> None:
    """Log to the standard error output."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # Its INFO is a line for each request to a source: thousands a day, with what was asked for.
    logging.getLogger("httpx").setLevel(logging.WARNING)
