"""Runs of pages: how bulk events name many pages in few numbers."""

from __future__ import annotations

from collections.abc import Iterable


def to_runs(pages: Iterable[int]) -> list[list[int]]:
    """Pages in their order as [first, count]; a negative count counts down.

    [4, 5, 6, 9] -> [[4, 3], [9, 1]]; [6, 5, 4] -> [[6, -3]].
    """
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
    """The pages that `to_runs` was given. Raises ValueError for a run of no pages."""
    pages: list[int] = []
    for first, count in runs:
        if count == 0:
            raise ValueError(f"a run of no pages at {first}")
        pages += range(first, first + count, 1 if count > 0 else -1)
    return pages
