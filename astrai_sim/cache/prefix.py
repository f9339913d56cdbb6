"""Which page holds which prefix: chained keys over full pages of token ids."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

ROOT = ""


def page_key(parent: str, tokens: Sequence[int]) -> str:
    """Key of a full page: a hash of its parent's key and its token ids.

    Chaining to the parent makes the key stand for the whole prefix up to the
    page's end, as in vLLM's automatic prefix caching; the first page's parent
    is `ROOT`. 16 hex digits of BLAKE2b.
    """
    text = parent + ":" + ",".join(map(str, tokens))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


@dataclass(frozen=True)
class KeyedPage:
    """What a page is known to hold: its key, its parent's key, its token ids."""

    key: str
    parent: str
    tokens: tuple[int, ...]


class PrefixIndex:
    """Finds pages by prefix. At most one page per key; at most one key per page."""

    def __init__(self, page_size: int) -> None:
        self.page_size = page_size
        self._page_of: dict[str, int] = {}
        self._keyed: dict[int, KeyedPage] = {}

    def __contains__(self, page: int) -> bool:
        return page in self._keyed

    def __len__(self) -> int:
        return len(self._keyed)

    def keyed(self, page: int) -> KeyedPage | None:
        """What `page` is recorded to hold, or None."""
        return self._keyed.get(page)

    def chunks(self, tokens: Sequence[int]) -> list[tuple[int, ...]]:
        """The full pages' worth of `tokens`, in order."""
        size = self.page_size
        return [tuple(tokens[i : i + size]) for i in range(0, len(tokens) - size + 1, size)]

    def lookup(self, tokens: Sequence[int]) -> list[int]:
        """Pages that hold the longest recorded prefix of `tokens`; stops at the first miss.

        Token ids and parent are compared, so two prefixes whose keys collide
        never share a page.
        """
        hits: list[int] = []
        parent = ROOT
        for chunk in self.chunks(tokens):
            key = page_key(parent, chunk)
            page = self._page_of.get(key)
            if page is None or self._keyed[page] != KeyedPage(key, parent, chunk):
                break
            hits.append(page)
            parent = key
        return hits

    def record(self, page: int, parent: str, tokens: tuple[int, ...]) -> str | None:
        """Note that `page` holds `tokens` after `parent`; None if another page already does."""
        key = page_key(parent, tokens)
        if key in self._page_of:
            return None
        self.forget(page)
        self._page_of[key] = page
        self._keyed[page] = KeyedPage(key, parent, tokens)
        return key

    def forget(self, page: int) -> None:
        """Drop what is known of `page`."""
        known = self._keyed.pop(page, None)
        if known is not None:
            del self._page_of[known.key]

    def clear(self) -> None:
        """Drop everything."""
        self._page_of.clear()
        self._keyed.clear()
