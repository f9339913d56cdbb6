"""How large the numbers of a trace's lines may be, so that sums and products of them stay numbers of 64 bits."""

from typing import Annotated

from msgspec import Meta

Int = Annotated[int, Meta(ge=-(1 << 62), le=1 << 62)]
"""Of nanoseconds, and of what verifying ties to something smaller."""
Length = Annotated[int, Meta(ge=-(1 << 40), le=1 << 40)]
"""Tokens, steps, and ids of tokens."""
