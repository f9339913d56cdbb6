"""Which page holds which prefix: chained keys over full pages of token ids."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

ROOT = ""


def page_key(parent: str, tokens: Sequence[int]) -> str:
    """Key of a full page: a hash of its parent's key and its token ids.

    Chaining to the parent makes the key stand for the whole prefix up to the page's end, as in vLLM's automatic prefix
    caching; the first page's parent is `ROOT`. 16 hex digits of BLAKE2b.
    """
    text = parent + ":" + ",".join(map(str, tokens))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def full_pages(tokens: Sequence[int], page_size: int, first: int = 0) -> Iterator[tuple[int, ...]]:
    """The token ids of each full page of `tokens`, from page `first` on; a rest is left out."""
    for start in range(first * page_size, len(tokens) - page_size + 1, page_size):
        yield tuple(tokens[start : start + page_size])


@dataclass(frozen=True, eq=False)
class Prefix:
    """A prefix up to a page's end: the last page's token ids after a shorter prefix, with the chained `key` of all."""

    parent: "Prefix | None" = field(repr=False)
    tokens: tuple[int, ...]
    key: str = field(init=False)

    def __post_init__(self) -> None:
        above = self.parent.key if self.parent else ROOT
        object.__setattr__(self, "key", page_key(above, self.tokens))

    def same(self, other: "Prefix") -> bool:
        """Whether both are the same token ids from the first to the last.

        Decided by the ids, not by the keys: two prefixes may have one key. Where both
        share a parent object the comparison ends there.
        """
        one: Prefix | None = self
        two: Prefix | None = other
        while one is not two:
            if one is None or two is None or one.tokens != two.tokens:
                return False
            one, two = one.parent, two.parent
        return True


class PrefixIndex:
    """Finds pages by prefix. At most one page per key; at most one prefix per page."""

    def __init__(self) -> None:
        self._page_of: dict[str, int] = {}
        self._prefix_of: dict[int, Prefix] = {}
        self._chains: dict[str, list[Prefix]] = {}

    def __contains__(self, page: int) -> bool:
        return page in self._prefix_of

    def __iter__(self) -> Iterator[int]:
        return iter(self._prefix_of)

    def keyed(self, page: int) -> Prefix | None:
        """The prefix that `page` is recorded to end, or None."""
        return self._prefix_of.get(page)

    def find(self, prefix: Prefix) -> Prefix | None:
        """The recorded prefix of the same tokens, or None; found by key, compared id by id."""
        found = self._prefix_of.get(self._page_of.get(prefix.key, -1))
        return found if found is not None and found.same(prefix) else None

    def page_of(self, prefix: Prefix) -> int:
        """The page that ends a recorded prefix."""
        return self._page_of[prefix.key]

    def record(self, page: int, prefix: Prefix) -> bool:
        """Note that `page`, unkeyed (else ValueError), ends `prefix`; False, noting nothing, if its key has a page."""
        if page in self._prefix_of:
            raise ValueError(f"page {page} has a key already")
        if prefix.key in self._page_of:
            return False
        self._page_of[prefix.key] = page
        self._prefix_of[page] = prefix
        return True

    def chain(self, task: str) -> list[Prefix]:
        """Prefixes that the leading full pages of `task` end, as far as noted; to append to."""
        return self._chains.setdefault(task, [])

    def end_chain(self, task: str) -> None:
        """Drop what was noted of `task`."""
        self._chains.pop(task, None)

    def forget(self, page: int) -> None:
        """Drop the key of `page`. Raises KeyError if it has none."""
        prefix = self._prefix_of.pop(page)
        del self._page_of[prefix.key]

    def clear(self) -> None:
        """Drop everything."""
        self._page_of.clear()
        self._prefix_of.clear()
        self._chains.clear()
