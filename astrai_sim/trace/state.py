"""The replayed state of cache and scheduler."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from astrai_sim.trace.events import Event


@dataclass(frozen=True)
class TaskState:
    """One request: its prompt and answer, and how much of it is in the cache."""

    name: str
    status: str
    prompt_len: int
    max_tokens: int
    tokens: tuple[int, ...]
    kv_len: int

    @property
    def n_tokens(self) -> int:
        """Prompt and generated tokens."""
        return len(self.tokens)

    @property
    def generated(self) -> int:
        """Generated tokens."""
        return len(self.tokens) - self.prompt_len


@dataclass
class State:
    """Everything that the events up to some moment say.

    `mask` has bit i set where page i is free; `lru` lists cached pages, least
    recently used first; `tables` maps a task to its physical pages.
    """

    n_pages: int
    page_size: int
    mask: int
    refs: list[int]
    step: int = -1
    phase: str | None = None
    ns: int = 0
    tables: dict[str, list[int]] = field(default_factory=dict)
    tasks: dict[str, TaskState] = field(default_factory=dict)
    _cached: dict[int, None] = field(default_factory=dict)
    _norms: dict[int, np.ndarray] = field(default_factory=dict)

    @classmethod
    def initial(cls, n_pages: int, page_size: int) -> State:
        """Before the first event: every page free."""
        return cls(n_pages, page_size, (1 << n_pages) - 1, [0] * n_pages)

    def copy(self) -> State:
        """An independent copy."""
        return replace(
            self,
            refs=list(self.refs),
            tables=dict(self.tables),
            tasks=dict(self.tasks),
            _cached=dict(self._cached),
            _norms=dict(self._norms),
        )

    @property
    def lru(self) -> list[int]:
        """Cached pages, least recently used first."""
        return list(self._cached)

    def mask_bits(self) -> str:
        """The free mask as digits, high bit first."""
        return format(self.mask, f"0{self.n_pages}b")

    def owners(self, page: int) -> list[tuple[str, int]]:
        """(task, logical index) of every table entry that names `page`."""
        return [
            (task, logical)
            for task, pages in self.tables.items()
            for logical, held in enumerate(pages)
            if held == page
        ]

    def page_state(self, page: int) -> str:
        """"free", "in use" or "cached"."""
        if self.refs[page]:
            return "in use"
        return "cached" if page in self._cached else "free"

    def norms(self, page: int) -> np.ndarray:
        """Recorded K norm of each slot, float32 [page_size]; NaN where nothing was written."""
        norms = self._norms.get(page)
        if norms is None:
            return np.full(self.page_size, np.nan, dtype=np.float32)
        return norms.copy()

    def apply(self, event: Event) -> None:
        """Take in the next event."""
        self.step, self.phase, self.ns = event.step, event.phase, event.ns
        handler = getattr(self, f"_on_{event.event}", None)
        if handler is not None:
            handler(event)

    def _task(self, event: Event, **changes) -> None:
        self.tasks[event.task] = replace(self.tasks[event.task], **changes)

    def _set_mask(self, event: Event) -> None:
        mask = event.get("mask")
        if mask is not None:
            self.mask = int(mask, 16)
        else:
            index, word = event.word
            shift = 64 * index
            self.mask = self.mask & ~(0xFFFFFFFFFFFFFFFF << shift) | int(word, 16) << shift

    def _on_task_submitted(self, event: Event) -> None:
        self.tasks[event.task] = TaskState(
            event.task, "waiting", len(event.prompt), event.max_tokens, tuple(event.prompt), 0
        )

    def _on_task_admitted(self, event: Event) -> None:
        self._task(event, status="prefilling", kv_len=event.cached_tokens)

    def _on_token(self, event: Event) -> None:
        tokens = self.tasks[event.task].tokens
        self._task(event, status="running", tokens=(*tokens, event.id))

    def _on_task_finished(self, event: Event) -> None:
        self._task(event, status="finished")

    def _on_task_preempted(self, event: Event) -> None:
        self._task(event, status="preempted", kv_len=0)

    def _on_page_alloc(self, event: Event) -> None:
        self.refs[event.page] = event.ref
        self._set_mask(event)
        self._norms.pop(event.page, None)

    def _on_page_ref(self, event: Event) -> None:
        self.refs[event.page] = event.ref
        self._set_mask(event)

    def _on_page_free(self, event: Event) -> None:
        self.refs[event.page] = event.ref
        self._set_mask(event)
        if event.ref == 0:
            self._norms.pop(event.page, None)

    def _on_page_cached(self, event: Event) -> None:
        self.refs[event.page] = event.ref
        self._set_mask(event)
        self._cached[event.page] = None

    def _on_page_revived(self, event: Event) -> None:
        self._cached.pop(event.page, None)
        self.refs[event.page] = event.ref
        self._set_mask(event)

    def _on_page_evicted(self, event: Event) -> None:
        self._cached.pop(event.page, None)
        self._norms.pop(event.page, None)

    def _on_prefix_reset(self, event: Event) -> None:
        self.mask = int(event.mask, 16)
        for page in self._cached:
            self._norms.pop(page, None)
        self._cached.clear()

    def _on_table(self, event: Event) -> None:
        if event.pages:
            self.tables[event.task] = list(event.pages)
        else:
            self.tables.pop(event.task, None)

    def _on_kv_write(self, event: Event) -> None:
        for span in event.spans:
            task = self.tasks[span["task"]]
            kv_len = max(task.kv_len, span["start"] + span["count"])
            self.tasks[task.name] = replace(task, kv_len=kv_len)
            taken = 0
            for page, low, high in span["slots"]:
                norms = self.norms(page)
                norms[low:high] = span["norms"][taken : taken + high - low]
                self._norms[page] = norms
                taken += high - low
