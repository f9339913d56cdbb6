"""The cache's index as the events tell it: which pages a lookup that begins at the first page can come to."""

from collections.abc import Collection
from typing import NamedTuple

Key = str | int
ROOT: Key = ""


SURE = ("missed", "read")
"""Why pages cannot be found where the engine itself has shown that."""


class Entry(NamedTuple):
    """A page in the index: its key, that of the page before (`ROOT` for first pages, None where it is not told),
    and the number of its content."""

    key: Key
    parent: Key | None
    content: int


class Lost(NamedTuple):
    """Since which event no lookup comes to a page, and why: the page before it went (`page`), another page took its key
    (`page`), a lookup passed it by, or the tree that was read back does not lead to it."""

    seq: int
    why: str
    page: int


class Index:
    """Pages that can be found, and those that are in it and cannot: `lost`.

    Lookups are taken to go from the first page on as far as each next one is there under its key.
    """

    def __init__(self) -> None:
        self.entries: dict[int, Entry] = {}
        self.lost: dict[int, Lost] = {}
        self._at: dict[Key, int] = {}
        self._content: dict[int, int] = {}
        self._children: dict[Key, set[int]] = {}

    def key_of(self, page: int) -> Key | None:
        """Key of a page, None where it has none."""
        entry = self.entries.get(page)
        return entry.key if entry else None

    def with_content(self, content: int) -> int | None:
        """The page that can be found and has this content."""
        page = self._content.get(content)
        return None if page is None or page in self.lost else page

    def put(self, page: int, key: Key, parent: Key | None, content: int, seq: int) -> None:
        """A page can be found under `key` from now on, and no other one."""
        if self.key_of(page) == key and self._at.get(key) == page:
            return
        self.forget(page, seq)
        other = self._at.get(key)
        self.entries[page] = Entry(key, parent, content)
        self._at[key] = self._content[content] = page
        if parent is not None:
            self._children.setdefault(parent, set()).add(page)
        if other is not None:
            self.lost[other] = Lost(seq, "replaced", page)
        if parent is not None and parent != ROOT and (parent not in self._at or self._at[parent] in self.lost):
            self.lost[page] = Lost(seq, "parent", self._at.get(parent, -1))
        else:
            self._back(key)

    def forget(self, page: int, seq: int) -> None:
        """A page is in the index no more: what goes on from it cannot be found."""
        entry = self.entries.pop(page, None)
        self.lost.pop(page, None)
        if entry is None:
            return
        if entry.parent is not None:
            self._children[entry.parent].discard(page)
            if not self._children[entry.parent]:
                del self._children[entry.parent]
        if self._content.get(entry.content) == page:
            del self._content[entry.content]
        if self._at.get(entry.key) == page:
            del self._at[entry.key]
            self._lose(entry.key, Lost(seq, "parent", page))

    def pass_by(self, page: int, seq: int) -> None:
        """A lookup did not find a page that is there under its key."""
        self.lost[page] = Lost(seq, "missed", page)
        self._lose(self.entries[page].key, self.lost[page])

    def read(self, reached: Collection[int], seq: int) -> None:
        """The engine's own index leads to these pages, and to no other."""
        for page in self.entries:
            if page in reached:
                self.lost.pop(page, None)
            elif page not in self.lost:
                self.lost[page] = Lost(seq, "read", page)

    def clear(self) -> None:
        """Nothing can be found."""
        for held in (self.entries, self.lost, self._at, self._content, self._children):
            held.clear()

    def _lose(self, key: Key, lost: Lost) -> None:
        """What goes on from `key` cannot be found."""
        keys = [key]
        while keys:
            for page in self._children.get(keys.pop(), ()):
                if page not in self.lost:
                    self.lost[page] = lost
                    keys.append(self.entries[page].key)

    def _back(self, key: Key) -> None:
        """What goes on from `key` can be found again, where it is still that under its own key."""
        keys = [key]
        while keys:
            for page in self._children.get(keys.pop(), ()):
                lost, own = self.lost.get(page), self.entries[page].key
                if lost is not None and self._at.get(own) == page and lost.why not in SURE:
                    del self.lost[page]
                    keys.append(own)
