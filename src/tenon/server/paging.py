"""The two numbers of every list."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

# Bounded, so that no offset leaves 64 bits and no page takes the machine's memory.
Page = Annotated[int, Field(ge=1, le=1_000_000)]
PageSize = Annotated[int, Field(ge=1, le=200)]
