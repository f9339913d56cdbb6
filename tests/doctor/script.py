"""A small engine that does what it is told, mistakes too: its run as a trace."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.trace.recording import resealed

SIZE, PAGES = 4, 8
SYSTEM = [1, 2, 3, 4]


class Script:
    """Each call is what an engine does next; nothing keeps it from being wrong."""

    def __init__(self, caching: bool = True) -> None:
        self.lines: list[dict] = []
        self.step, self.phase, self.ns, self.caching = -1, None, 0, caching
        self.ids: dict[str, list[int]] = {}
        self.tables: dict[str, list[int]] = {}
        self.refs: Counter[int] = Counter()
        self.lru: list[int] = []
        self.left: set[tuple[str | None, int]] = set()
        self.free = set(range(PAGES))

    def emit(self, event: str, **fields: object) -> int:
        """Write an event; its line in the file."""
        self.ns += 1000
        at = {"seq": len(self.lines), "step": self.step, "phase": self.phase, "ns": self.ns}
        self.lines.append({**at, "event": event, **fields})
        return len(self.lines) + 1

    def submit(self, task: str, ids: Sequence[int]) -> int:
        """A request comes."""
        self.ids[task] = [*ids]
        return self.emit("task_submitted", task=task, prompt=[*ids], max_tokens=9, arrival_step=self.step + 1)

    @contextmanager
    def steps(self, phase: str = "decode") -> Iterator[None]:
        """A step of one phase."""
        self.step += 1
        self.emit("step_begin", waiting=[], running=[])
        self.phase = phase
        self.emit("phase_begin")
        yield
        self.emit("phase_end", duration_ns=0, tasks=[])
        self.phase = None
        self.emit("step_end", duration_ns=0, waiting=0, running=0)

    def _mask(self) -> str:
        return hex(sum(1 << page for page in self.free))

    def come(self, task: str, page: int, how: str = "alloc", **more: object) -> int:
        """A page comes to the end of a table."""
        self.free.discard(page)
        self.refs[page] += 1
        table = self.tables.setdefault(task, [])
        if how == "revived" and "lru" not in more:
            self.lru.remove(page)
            more["lru"] = [*self.lru]
        about = {"page": page, "task": task, "logical": len(table), "ref": self.refs[page], "mask": self._mask()}
        line = self.emit(f"page_{how}", **about, **more)
        table.append(page)
        self.emit("table", task=task, pages=[*table])
        return line

    def go(self, task: str | None, page: int, cached: bool = False) -> int:
        """A page is let go."""
        self.refs[page] -= 1
        held = [
            i for i, entry in enumerate(self.tables.get(task or "", ())) if entry == page and (task, i) not in self.left
        ]
        self.left.update((task, i) for i in held[:1])
        how = {"task": task, "logical": held[0] if held else None, "ref": self.refs[page]}
        if cached:
            self.lru.append(page)
            return self.emit("page_cached", page=page, **how, mask=self._mask(), lru=[*self.lru])
        if self.refs[page] == 0:
            self.free.add(page)
        return self.emit("page_free", page=page, **how, mask=self._mask())

    def leave(self, task: str, cached: Sequence[int] = ()) -> None:
        """A request lets go of its pages, of which some stay `cached`."""
        for page in self.tables[task]:
            self.go(task, page, page in cached)
        self.tables.pop(task)
        self.left = {(name, i) for name, i in self.left if name != task}
        self.emit("table", task=task, pages=[])

    def evict(self, page: int) -> int:
        """A cached page is evicted."""
        self.lru.remove(page)
        return self.emit("page_evicted", page=page, lru=[*self.lru])

    def admit(self, task: str, cached: int = 0) -> int:
        """A request is admitted."""
        tokens = {"tokens": len(self.ids[task]), "cached_tokens": cached}
        return self.emit("task_admitted", task=task, **tokens, pages=[*self.tables[task]])

    def compute(self, task: str, start: int = 0, end: int | None = None) -> int:
        """A pass computes a request's tokens from `start` on."""
        end, table = end or len(self.ids[task]), self.tables[task]
        entries = range(start // SIZE, -(-end // SIZE))
        slots = [[table[i], max(0, start - SIZE * i), min(SIZE, end - SIZE * i)] for i in entries]
        return self.emit(
            "kv_write", layer=0, spans=[{"task": task, "start": start, "count": end - start, "slots": slots}]
        )

    def keyed(self, task: str, logical: int, key: str, parent: str = "") -> int:
        """A page of a request can be found."""
        page = self.tables[task][logical]
        return self.emit("page_keyed", page=page, task=task, logical=logical, key=key, parent=parent)

    def hit(self, task: str, pages: Sequence[int]) -> int:
        """A lookup finds pages."""
        return self.emit("prefix_hit", task=task, pages=[*pages], tokens=SIZE * len(pages))

    def miss(self, task: str, logical: int) -> int:
        """A lookup finds no page."""
        return self.emit("prefix_miss", task=task, logical=logical)

    def token(self, task: str, token: int = 9) -> int:
        """A request gets a token."""
        self.ids[task].append(token)
        place = {"index": 0, "position": len(self.ids[task]) - 1}
        return self.emit("token", task=task, id=token, **place, source="decode")

    def finish(self, task: str) -> int:
        """A request is served."""
        return self.emit("task_finished", task=task, reason="length", tokens=len(self.ids[task]), generated=1)

    def serve(self, task: str, ids: Sequence[int], pages: Sequence[int], keys: Sequence[str] = ()) -> None:
        """A request comes, gets `pages`, is computed, and its first pages get their `keys`."""
        self.submit(task, ids)
        for page in pages:
            self.come(task, page)
        self.admit(task)
        self.compute(task)
        for logical, key in enumerate(keys):
            self.keyed(task, logical, key, keys[logical - 1] if logical else "")

    def trace(self, stopped: str = "done"):
        """The run as a trace."""
        sizes = {"n_layers": 1, "n_kv_heads": 1, "head_dim": 8}
        scenario = {"name": "script", "title": "Told", "model": sizes, "scheduler": {"max_batch": 4}}
        scenario["cache"] = {"n_pages": PAGES, "page_size": SIZE, "prefix_caching": self.caching}
        header = {"type": "header", "schema": "astrai-trace", "version": 1, "scenario": scenario, "dtype": "float16"}
        header |= {"engine": {"name": "script", "version": "1"}, "device": {"type": "cpu", "name": "any"}}
        header |= {"model": "made-up", "clock": "real", "policy": []}
        return resealed([header, *self.lines, {"type": "footer", "events": 0, "stopped": stopped}])
