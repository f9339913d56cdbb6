"""Recordings of this engine, told as another would: without what it lacks, and with phases of its own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from astrai_sim.trace.header import PHASES

LEFT_OUT = {"words", "mask", "word", "table", "lengths", "counts", "key", "parent", "digests", "norms"}
"""Fields that another engine may leave out; `lengths` and `counts` where they are digests."""
KEPT = {("kv_lengths", "counts"), ("snapshot", "mask")}


def bare(line: dict) -> dict:
    """A line without what may be left out."""
    kept = {k: v for k, v in line.items() if k not in LEFT_OUT or (line["event"], k) in KEPT}
    if "spans" in kept:
        kept["spans"] = [{k: v for k, v in span.items() if k != "norms"} for span in kept["spans"]]
    return kept


def foreign(
    own: list[dict],
    drop: Collection[str] = (),
    phases: Callable[[str], str | None] = lambda name: name,
    rules: Collection[str] = (),
) -> list[dict]:
    """The run as that of another engine, without what may be left out, and without events of the kinds to `drop`.

    `phases` says what it calls each of the four, several maybe the same; None where it has none. It claims `rules`.
    """
    header = {**own[0], "engine": {"name": "other", "version": "1"}, "sources": {}, "policy": list(rules)}
    header["phases"] = [*dict.fromkeys(filter(None, map(phases, PHASES)))]
    kept: list[dict] = []
    for line in own[1:-1]:
        name = line["phase"] and phases(line["phase"])
        if line["event"] in ("lines", "snapshot", *drop) or (not name and line["event"].startswith("phase_")):
            continue
        if line["event"] == "phase_begin" and kept[-1]["event"] == "phase_end" and kept[-1]["phase"] == name:
            kept.pop()  # two that follow each other become one
            continue
        kept.append({**bare(line), "phase": name})
    return [header, *({**line, "seq": seq} for seq, line in enumerate(kept)), footer(own, len(kept))]


def footer(own: list[dict], events: int) -> dict:
    return {"type": "footer", "events": events, "stopped": own[-1]["stopped"]}


class OnePass:
    """A small engine: a step schedules, runs and then answers; one pass computes pieces of prompts and single tokens
    together, several may come in a step; the page that was free for longest is handed out. One that is `wary` takes a
    page for no request at the beginning of a step, and gives it back."""

    PHASES = ("schedule", "run", "postprocess")

    def __init__(
        self,
        prompts: dict[str, int],
        answer: int,
        pages: int = 12,
        size: int = 4,
        piece: int = 5,
        phases: Sequence[str] = PHASES,
        tick: int = 1000,
        wary: bool = False,
    ) -> None:
        self.wary = wary
        self.n_pages, self.size, self.piece, self.phases, self.tick = pages, size, piece, phases, tick
        self.free, self.tables, self.lines = [*range(pages)], {}, []
        self.known, self.stored = dict(prompts), dict.fromkeys(prompts, 0)
        self.prompts, self.left, self.step, self.phase, self.ns = prompts, dict.fromkeys(prompts, answer), -1, None, 0
        for at, (task, count) in enumerate(prompts.items()):
            ids = [(3 * at + 7 * i) % 50 for i in range(count)]
            self.emit("task_submitted", task=task, prompt=ids, max_tokens=answer, arrival_step=0)
        while self.left:
            self.advance()

    def emit(self, event: str, **fields: object) -> None:
        self.ns += self.tick
        at = {"seq": len(self.lines), "step": self.step, "phase": self.phase, "ns": self.ns}
        self.lines.append({**at, "event": event, **fields})

    def enter(self, phase: str) -> None:
        if self.phase:
            self.emit("phase_end", duration_ns=0, tasks=[])
        self.phase = phase
        self.emit("phase_begin")

    def advance(self) -> None:
        """One more request is admitted; all compute; those that have their tokens leave."""
        self.step += 1
        waiting, running = [t for t in self.left if t not in self.tables], [t for t in self.left if t in self.tables]
        self.emit("step_begin", waiting=waiting, running=running)
        self.enter(self.phases[0])
        if self.wary and self.free:
            self.free.append(page := self.free.pop(0))
            self.emit("page_alloc", page=page, task=None, logical=None, ref=1)
            self.emit("page_free", page=page, task=None, logical=None, ref=0)
        for task in (*running, *waiting[:1]):
            table = self.tables.setdefault(task, [])
            while len(table) * self.size < self.known[task]:
                table.append(self.free.pop(0))
                self.emit("page_alloc", page=table[-1], task=task, logical=len(table) - 1, ref=1)
                self.emit("table", task=task, pages=[*table])
            if task in waiting:
                self.emit("task_admitted", task=task, tokens=self.known[task], cached_tokens=0, pages=[*table])
        self.enter(self.phases[1])
        running = running + waiting[:1]
        answered = self.run(running, second=False) + self.run(running, second=True)
        self.enter(self.phases[2])
        for task, source in answered:
            index = self.known[task] - self.prompts[task]
            self.emit("token", task=task, id=self.step, index=index, position=self.known[task], source=source)
            self.known[task] += 1
            self.left[task] -= 1
        for task in [task for task, left in self.left.items() if not left]:
            generated = self.known[task] - self.prompts[task]
            self.emit("task_finished", task=task, reason="done", tokens=self.known[task], generated=generated)
            for logical, page in enumerate(self.tables.pop(task)):
                self.free.append(page)
                self.emit("page_free", page=page, task=task, logical=logical, ref=0)
            self.emit("table", task=task, pages=[])
            del self.left[task]
        self.emit("phase_end", duration_ns=0, tasks=running)
        self.phase = None
        left = [task for task in self.left if task in self.tables]
        self.emit("step_end", duration_ns=0, waiting=len(self.left) - len(left), running=len(left))

    def run(self, tasks: list[str], second: bool) -> list[tuple[str, str]]:
        """A pass, the second of a step only for prompts that the first has not ended; who is answered, and for what."""
        spans, told, answered = [], [], []
        for task in tasks:
            start, known, prompt = self.stored[task], self.known[task], self.known[task] == self.prompts[task]
            count = min(known - start, self.piece)
            if not count or (second and not prompt):
                continue
            size, end = self.size, start + count
            places = range(start // size, -(-end // size))
            edges = [(i, max(start - i * size, 0), min(end - i * size, size)) for i in places]
            slots = [[self.tables[task][i], low, high] for i, low, high in edges]
            spans.append({"task": task, "start": start, "count": count, "slots": slots})
            self.stored[task] = end
            if prompt and end < known:
                told.append(("chunk", {"task": task, "start": start, "end": end, "total": known}))
            elif prompt:
                told.append(("task_prefilled", {"task": task, "start": start, "end": end}))
            if end == known:
                answered.append((task, "prefill" if prompt else "decode"))
        if spans:
            self.emit("kv_write", layer=0, spans=spans)
        for event, fields in told:
            self.emit(event, **fields)
        return answered

    def trace(self) -> list[dict]:
        """Header, events and footer."""
        sizes = {"n_layers": 1, "n_kv_heads": 1, "head_dim": 8}
        scenario = {"name": "one pass", "title": "One pass a step", "model": sizes, "scheduler": {"max_batch": 4}}
        scenario["cache"] = {"n_pages": self.n_pages, "page_size": self.size}
        header = {"type": "header", "schema": "astrai-trace", "version": 1, "scenario": scenario, "dtype": "float16"}
        header |= {"engine": {"name": "one-pass", "version": "1"}, "device": {"type": "cpu", "name": "any"}}
        header |= {"model": "made-up", "clock": "real", "phases": [*self.phases]}
        return [header, *self.lines, {"type": "footer", "events": len(self.lines), "stopped": "done"}]
