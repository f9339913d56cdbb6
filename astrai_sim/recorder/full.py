"""Turns every call of a live scheduler and cache into trace events.

What an event says of mask, refcounts, LRU and tables is read from the live objects after the call.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch

from astrai_sim.engine.cache import CacheView, paged_cache
from astrai_sim.engine.cache.prefix import ROOT, Prefix
from astrai_sim.engine.scheduler import Task
from astrai_sim.recorder.base import BaseRecorder, Batch
from astrai_sim.recorder.header import played
from astrai_sim.recorder.watching import Original
from astrai_sim.scenario.build import Built
from astrai_sim.scenario.schema import RecordPart
from astrai_sim.text import TextStream
from astrai_sim.trace import TraceWriter
from astrai_sim.trace.roles import ROLES


class Recorder(BaseRecorder):
    """Records each page by itself, K norms, gathers, executed lines, and the text of tokens where there is one.

    Calls that are recorded line by line are counted for `write`, `gather` and the `CacheView` anew for every set of
    tasks in every phase, and when a table of theirs has grown. Such a call runs slower, though what the tracing itself
    does is not counted as time.
    """

    SCHEDULER = (*BaseRecorder.SCHEDULER, "_append_token", "_with_room", "_make_room", "_view")
    CACHE = (*BaseRecorder.CACHE, "share", "extend", "write", "gather", "put", "take")

    def __init__(self, writer: TraceWriter, built: Built, asked: RecordPart) -> None:
        super().__init__(writer, built, asked)
        self.kv_layer = asked.kv_layer
        self._language = built.language
        self._texts: dict[str, TextStream] = {}
        self._names = {ROLES[role]: name for role, name in played(built).items()}
        self._view: CacheView | None = None

    def attach(self) -> None:
        """Start watching, `pages_for` where the cache looks it up included."""
        super().attach()
        original = paged_cache.pages_for

        def pages_for(n_tokens: int, page_size: int) -> int:
            return self._lines("pages_for", original, n_tokens, page_size)

        paged_cache.pages_for = pages_for
        self._undo.append(partial(setattr, paged_cache, "pages_for", original))

    def snapshot(self) -> None:
        cache = self.cache
        tables = {task: list(pages) for task, pages in cache.tables.items()}
        counts = {"refs": list(cache.refs), "tables": tables, "lengths": self._lengths()}
        self._emit("snapshot", mask=hex(cache.free_mask), **counts, **self._lru())

    def _lines(self, name: str, *args: Any, **options: Any) -> Any:
        """As in the base, under the name of the function that plays the role of this engine's `name`."""
        return super()._lines(self._names.get(name, name), *args, **options)

    # scheduler

    def _prompt(self, task: Task) -> dict[str, Any]:
        fields = super()._prompt(task)
        if self._language is not None:
            with self.clock.aside:
                stream = self._texts[task.id] = TextStream(self._language.tokenizer)
                fields["texts"] = [stream.feed(token) for token in task.prompt]
        return fields

    def _on_append_token(self, original: Original, task: Task, token: int) -> None:
        fields = {"index": len(task.output), "position": task.n_tokens, "source": self.phase}
        if self._language is not None:
            with self.clock.aside:
                fields["text"] = self._texts[task.id].feed(token)
        self._emit("token", task=task.id, id=token, **fields)
        original(task, token)

    def _on_with_room(self, original: Original, tasks: list[Task]) -> list[Task]:
        """Until the calls of `pages_for` that are to be told have been, each gets room: `grow` makes one always."""
        make_room = self.scheduler._make_room
        return [task for task in tasks if (make_room(task) if self._to_tell("pages_for") else original([task]))]

    def _on_make_room(self, original: Original, task: Task) -> bool:
        before = len(self.scheduler.running)
        return self._lines(
            "InferenceScheduler._make_room", original, task, keep=lambda _: len(self.scheduler.running) < before
        )

    def _on_view(self, original: Original, batch: Batch) -> CacheView:
        inside = self.cache.view_type.__init__
        view = self._view = self._lines("CacheView.__init__", original, batch, key=self._pass(), inside=inside)
        return view

    def _pass(self) -> tuple:
        """What makes calls of the forward pass new: its phase, its tasks, and the length of their tables."""
        tables = self.cache.tables
        return self.phase, tuple((task.id, len(tables[task.id])) for task, _, _ in self.batch)

    def _on_forward(self, original: Original, batch: Batch) -> list[int]:
        tokens = super()._on_forward(original, batch)
        if not self.with_model:
            self._kv_lengths()
        return tokens

    def _on_alloc(self, original: Original) -> int:
        page = self._lines("PagedCache.alloc", original)
        self._page_event("page_alloc", page)
        return page

    def _on_evict(self, original: Original) -> int:
        oldest = next(iter(self.cache.lru), None)
        known = self.cache._prefix.keyed(oldest) if oldest is not None else None
        page = self._lines("PagedCache.evict", original)
        assert known is not None, "a page was evicted that nothing knew"
        self._emit("page_evicted", page=page, key=known.key, **self._lru())
        return page

    def _on_inc_ref(self, original: Original, page: int) -> None:
        cached = page in self.cache._lru
        self._lines("PagedCache.inc_ref", original, page)
        self._page_event("page_revived" if cached else "page_ref", page, lru=cached)

    def _on_free(self, original: Original, page: int) -> None:
        if self._leaving:
            self.logical = self._leaving.pop()
        self._lines("PagedCache.free", original, page)
        cached = page in self.cache._lru
        self._page_event("page_cached" if cached else "page_free", page, lru=cached)

    def _on_lookup(self, original: Original, tokens: Sequence[int]) -> list[int]:
        hits = self._lines("PagedCache.lookup", original, tokens, keep=bool)
        self._looked_up(hits, tokens, pages=hits)
        return hits

    def _table(self, task: str) -> None:
        self._emit("table", task=task, pages=list(self.cache.tables.get(task, ())))

    def _on_extend(self, original: Original, task: str, *shared: int) -> int | None:
        """A page comes to the end of a table: a new one, or the one that is `shared`."""
        with self._about(task, len(self.cache.tables[task])):
            page = original(task, *shared)
        self._table(task)
        return page

    _on_share = _on_extend

    def _on_grow(self, original: Original, task: str, n_tokens: int) -> list[int]:
        with self._about(task):
            return self._lines("PagedCache.grow", original, task, n_tokens, keep=bool)

    def _on_release(self, original: Original, task: str) -> None:
        super()._on_release(original, task)
        self._table(task)

    def _on_record_page(self, original: Original, page: int, prefix: Prefix) -> str | None:
        key = original(page, prefix)
        if key is not None:
            logical = self.cache.tables[self.task].index(page)
            parent = prefix.parent.key if prefix.parent else ROOT
            self._emit("page_keyed", page=page, task=self.task, logical=logical, key=key, parent=parent)
        return key

    def _on_write(self, original: Original, layer: int, *given: torch.Tensor) -> None:
        if layer != self.kv_layer:
            original(layer, *given)
            return
        self._lines("PagedCache.write", original, layer, *given, key=self._pass())
        self._synchronize()
        with self.clock.aside:
            spans = [
                self._span(task, table, row[0], max(row) + 1)
                for task, table, row in zip(*self._seen("page_table", "positions"), strict=True)
            ]
            self._emit("kv_write", layer=layer, spans=spans)

    def _on_gather(self, original: Original, layer: int, *given: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        if layer != self.kv_layer:
            return original(layer, *given)
        result = self._lines("PagedCache.gather", original, layer, *given, key=self._pass())
        self._synchronize()
        with self.clock.aside:
            rows = [
                self._row(task, [page for page in table if page >= 0], length)
                for task, table, length in zip(*self._seen("page_table", "lengths"), strict=True)
            ]
            self._emit("gather", layer=layer, rows=rows)
        return result

    _on_put = _on_write
    _on_take = _on_gather

    def _seen(self, *names: str) -> tuple[list[Any], ...]:
        """The tasks of the pass, and what attention sees of each, by the names of the view's tensors."""
        return [task.id for task, _, _ in self.batch], *(getattr(self._view, name).tolist() for name in names)
