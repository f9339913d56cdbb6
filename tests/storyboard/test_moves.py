"""Lives of pages that are worked out at once are those that a step at a time gives."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from astrai_sim.trace.events import PagesAlloc
from scenes.story.history.moves import ALLOC, CACHED, EVICTED, FREE, REF, REVIVED, Moves

N_PAGES, N_TASKS = 5, 3


class OneByOne:
    """Pages of a pool, as what happens to them is drawn, and their lives, taken down step by step."""

    def __init__(self) -> None:
        self.seq, self.moves = 0, Moves()
        self.tables: list[list[int]] = [[] for _ in range(N_TASKS)]
        self.cached: list[int] = []
        self.holds: list[dict[str, int]] = []
        self.contents: list[dict[str, int]] = []
        self.kept: list[dict[str, int]] = []
        self.evicted: list[tuple[int, int, int]] = []
        self.allocs = self.frees = self.most_in_use = self.most_cached = 0

    def refs(self, page: int) -> int:
        return sum(table.count(page) for table in self.tables)

    def tell(self, pages: list[int], how: int, task: int = -1, logical: int | None = None) -> None:
        event = PagesAlloc(seq=self.seq, step=0, ns=0, pages=pages, refs=[], logical=logical)
        refs = [self.refs(page) for page in pages]
        self.moves.add(event, how, [0] * len(pages) if how == EVICTED else refs, task, task == 1)

    def end(self, rows: list[dict[str, int]], page: int) -> int:
        """The row of `page` that is not over is now; -1 where there is none."""
        at = next((i for i, row in enumerate(rows) if row["page"] == page and "end" not in row), -1)
        if at >= 0:
            rows[at]["end"] = self.seq
        return at

    def take(self, task: int, pages: list[int], how: int) -> None:
        table = self.tables[task]
        for place, page in enumerate(pages, len(table)):
            if page in self.cached:
                self.cached.remove(page)
                self.end(self.kept, page)
            if how == ALLOC:
                self.allocs += 1
                self.end(self.contents, page)
                self.contents.append({"page": page, "task": task, "logical": place, "begin": self.seq})
            row = {"page": page, "task": task, "logical": place, "begin": self.seq, "shown": self.seq, "left": 0}
            self.holds.append(row | {"taken": how, "decode": task == 1})
        table += pages
        self.tell(pages, how, task, len(table) - len(pages))
        self.most_in_use = max(self.most_in_use, sum(self.refs(page) > 0 for page in range(N_PAGES)))

    def leave(self, task: int, n: int, how: int) -> None:
        table = self.tables[task]
        gone = table[::-1][:n]
        del table[len(table) - n :]
        for back, page in enumerate(gone, 1):
            last = self.refs(page) == 0
            place = len(table) + n - back
            row = next(r for r in self.holds if "end" not in r and (r["task"], r["logical"]) == (task, place))
            row |= {"end": self.seq, "left": (2 if how == FREE else 3) if last else 1}
            if last and how == CACHED:
                self.cached.append(page)
                self.kept.append({"page": page, "begin": self.seq})
            elif last:
                self.frees += 1
                self.end(self.contents, page)
        self.tell(gone, how, task, len(table) + n - 1)
        self.most_cached = max(self.most_cached, len(self.cached))

    def evict(self, pages: list[int]) -> None:
        for page in pages:
            self.cached.remove(page)
            self.end(self.kept, page)
            self.evicted.append((self.seq, page, self.end(self.contents, page)))
        self.tell(pages, EVICTED)

    def reset(self) -> None:
        for page in self.cached:
            self.end(self.kept, page)
            self.end(self.contents, page)
        self.cached = []
        self.moves.reset(self.seq)

    def show(self, task: int) -> None:
        row = [r for r in self.holds if r["task"] == task and "end" not in r][-1]
        row["shown"] = self.seq
        self.moves.tables.add(self.seq, task, row["logical"])


@st.composite
def runs(draw: st.DrawFn) -> OneByOne:
    run = OneByOne()
    for seq in range(draw(st.integers(0, 30))):
        run.seq = seq
        task = draw(st.integers(0, N_TASKS - 1))
        table, n = run.tables[task], draw(st.integers(1, 3))
        free = [page for page in range(N_PAGES) if not run.refs(page) and page not in run.cached]
        others = sorted({page for table in run.tables for page in table} - set(table))
        match draw(st.sampled_from(("alloc", "ref", "revive", "free", "cache", "evict", "reset", "show"))):
            case "alloc" if free:
                run.take(task, draw(st.permutations(free))[:n], ALLOC)
            case "ref" if others:
                run.take(task, draw(st.permutations(others))[:n], REF)
            case "revive" if run.cached:
                run.take(task, draw(st.permutations(run.cached))[:n], REVIVED)
            case ("free" | "cache") as how if table:
                run.leave(task, min(n, len(table)), FREE if how == "free" else CACHED)
            case "evict" if run.cached:
                run.evict(draw(st.permutations(run.cached))[:n])
            case "reset":
                run.reset()
            case "show" if table:
                run.show(task)
    return run


@given(runs())
def test_lives_are_those_of_a_step_at_a_time(run: OneByOne) -> None:
    last = run.seq
    lives = run.moves.lives(last)
    for told, rows in ((lives.holds, run.holds), (lives.contents, run.contents), (lives.kept, run.kept)):
        for column in fields(told):
            wanted = [row.get(column.name, last + 1) for row in rows]
            assert np.asarray(getattr(told, column.name)).tolist() == wanted, column.name
    evicted = lives.evicted
    assert list(zip(evicted.seq.tolist(), evicted.page.tolist(), evicted.content.tolist(), strict=True)) == run.evicted
    assert (lives.allocs, lives.frees) == (run.allocs, run.frees)
    assert (lives.most_in_use, lives.most_cached) == (run.most_in_use, run.most_cached)
