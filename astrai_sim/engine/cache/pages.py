"""Page arithmetic."""

from __future__ import annotations


def pages_for(n_tokens: int, page_size: int) -> int:
    """Pages that `n_tokens` slots need: the ceiling of n_tokens / page_size.

    Both are counts of token slots; the result is a count of pages.
    """
    full, rest = divmod(n_tokens, page_size)
    n_pages = full + (rest > 0)
    return n_pages
