"""How bulk recordings say much in little: runs of pages, and short digests of many numbers.

Recorder and `verify` compute them from what each knows of the same thing. Digests are BLAKE2b of a stated text or
byte string; 8 hex digits where an event stands for a few numbers, 16 where a snapshot stands for all.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from struct import pack

import msgspec
import numpy as np

from astrai_sim.trace.header import MOST_PAGES

WORD = 64
_ENCODE = msgspec.json.Encoder().encode


def _digest(data: bytes, size: int) -> str:
    return hashlib.blake2b(data, digest_size=size).hexdigest()


def _joined(numbers: Sequence[int]) -> bytes:
    """Numbers in decimal, joined by commas."""
    return _ENCODE(numbers)[1:-1]  # in a tenth of the time that Python takes


def numbers_digest(numbers: Sequence[int]) -> str:
    """Of numbers in decimal, joined by commas; 8 hex digits."""
    return _digest(_joined(numbers), 4)


def words_digest(words: Sequence[int]) -> str:
    """Of 64-bit words of a mask, each as 8 bytes, low byte first; 8 hex digits."""
    return _digest(pack(f"<{len(words)}Q", *words), 4)


def words_of(pages: Sequence[int]) -> list[int]:
    """Indices of the mask's 64-bit words that hold the bits of `pages`, ascending."""
    if len(pages) == 1:
        return [pages[0] // WORD]
    return sorted({page // WORD for page in pages})


def pages_digest(pages: Sequence[int]) -> str:
    """Of page numbers or refcounts, each as 4 bytes, low byte first; 16 hex digits."""
    return _digest(np.asarray(pages, "<i4").tobytes(), 8)


def tables_digest(tables: Mapping[str, Sequence[int]]) -> str:
    """Of page tables, sorted by task, as `task:page,page;`; 16 hex digits."""
    lines = [b"%b:%b;" % (task.encode(), _joined(tables[task])) for task in sorted(tables)]
    return _digest(b"".join(lines), 8)


def lengths_digest(lengths: Mapping[str, int]) -> str:
    """Of token counts, sorted by task, as `task:count;`; 16 hex digits."""
    return _digest("".join(f"{task}:{lengths[task]};" for task in sorted(lengths)).encode(), 8)


def to_runs(pages: Iterable[int]) -> list[list[int]]:
    """Pages in order as [first, count], negative counting down: 4, 5, 6, 9: [[4, 3], [9, 1]]; 6, 5, 4: [[6, -3]]."""
    runs: list[list[int]] = []
    for page in pages:
        if runs:
            first, count = runs[-1]
            if count == 1 and page == first - 1:
                runs[-1][1] = -2
                continue
            if page == first + count:
                runs[-1][1] += 1 if count > 0 else -1
                continue
        runs.append([page, 1])
    return runs


def from_runs(runs: Iterable[Iterable[int]]) -> list[int]:
    """The pages that `to_runs` was given. Raises ValueError for a run of no pages, or of more than pools have."""
    pages: list[int] = []
    for first, count in runs:
        if count == 1:
            pages.append(first)
            continue
        if count == 0:
            raise ValueError(f"a run of no pages at {first}")
        if len(pages) + abs(count) > MOST_PAGES:
            raise ValueError(f"a run of {abs(count)} pages at {first}: pools have at most {MOST_PAGES}")
        pages += range(first, first + count, 1 if count > 0 else -1)
    return pages
