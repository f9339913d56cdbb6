"""Executed lines: which lines a call must have run, and the value of each, from the state before it.

Each function that films show is followed here in words of its own: a script of (line of the source,
what it assigns). Nothing of the trace's text is ever run. A call whose source has a line that the
script does not know is taken on trust, and counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from astrai_sim.trace.events import Event
from astrai_sim.trace.header import Source
from astrai_sim.trace.verify import scripts
from astrai_sim.trace.verify.scripts import FIRST, Held, Script, line_numbers, shown_as, tensor, version_of

if TYPE_CHECKING:
    from astrai_sim.trace.verify.full import FullModel

CALLS = 4
MAKING, VIEWING = "PagedCache.__init__", "CacheView.__init__"
PASSES = (VIEWING, "PagedCache.write", "PagedCache.gather")
"""Functions that are called once a forward pass."""
INLINED = (3, 12)
"""From this Python on the loop of a list comprehension runs in the frame around it, line by line."""


class Calls:
    """Checks `lines` events, and that the first calls of each function have one."""

    def __init__(self, model: FullModel) -> None:
        record = model.header.scenario.record
        self.model = model
        self.paging = model.paging
        self.most = CALLS if record.line_calls is None else record.line_calls
        self.steps = record.line_steps
        self.trusted: Counter[str] = Counter()
        self.untold: dict[str, Event] = {}
        self._seen: set[str] = set()
        self._counts: Counter[Any] = Counter()
        self._promised: list[tuple[str | None, int]] = []
        rules = ("lowest-page-first", "least-recently-used", "last-page-freed-first", "first-come-first-served")
        self._known = all(model.policy[rule].claimed for rule in rules)

    def begins(self, event: Event) -> None:
        """The first event of all: the lines that made the pool, where lines are recorded.

        Recordings from before they were have no source of `CacheView` either; who came to a pool that
        was there already, and so claims no scenario, cannot tell them.
        """
        due = self.most > 0 and VIEWING in self.model.header.sources
        told = event.event == "lines" and event.function == MAKING
        if told or self.model.policy["scenario-kept"].claimed:
            self.model.policy["calls-traced"].same("lines that made the pool", told, due)

    def check(self, event: Event) -> None:
        """A call is told. Those of a pass are checked when it is known for whom they were."""
        traced = self.model.policy["calls-traced"]
        source = self.model.header.sources.get(event.function)
        if source is None:
            raise self.model.format.lie(f"the header has no source of {event.function!r}")
        for step in event.steps:
            self.model.format.number("line", step.line, 1, len(source.text.splitlines()) + 2)
        late = self.steps is not None and event.step >= self.steps
        traced.true("calls told", not late, f"a call in step {event.step}, of which no lines were to be recorded")
        traced.true("calls told", event.function not in self._seen, f"{event.function} is told twice for one call")
        if event.function == MAKING:
            traced.same("event that tells how the pool was made", self.model.seq, 0)
            self._pool(event, source)
            return
        if event.function in PASSES:
            self.untold[event.function] = event
            self._seen.add(event.function)
            return
        script = getattr(self, f"_{event.function.rpartition('.')[2].lstrip('_')}", None)
        if script is None or not self._known:
            self.trusted[event.function] += 1
        else:
            script(event, source)
        if event.function in ("pages_for", "PagedCache.grow", "InferenceScheduler._make_room"):
            self._counts[event.function] += 1
            count = self._counts[event.function]
            traced.true("calls told", count <= self.most, f"call {count} of {event.function}: {self.most} were to be")
        else:
            self._seen.add(event.function)

    def happened(self, function: str, task: str | None = None, page: int | None = None, key: Any = None) -> None:
        """Events show that a function was called: its lines came before where they had to."""
        number, step = self._counts[function, key], self.model.step
        self._counts[function, key] += 1
        due = number < self.most and (self.steps is None or step < self.steps)
        name = f"lines of call {number + 1} of {function}"
        if function in self.model.header.sources:
            self.model.policy["calls-traced"].same(name if due else "calls told", function in self._seen, due)
        self._seen.discard(function)
        if page is not None and self._promised and function != "PagedCache.evict":
            for promise in self._promised:
                self.paging.same("task and page of the call", (task, page), promise)
            self._promised = []

    def due(self) -> None:
        """Nothing that was told may be left without effect."""
        if self._promised:
            raise self.paging.lie(f"a call was told about page {self._promised[0][1]}, but nothing came of it")
        if self._seen:
            raise self.paging.lie(f"lines of {', '.join(sorted(self._seen))} without what the call did")

    def _held(self) -> Held:
        pool = self.model.pool
        return Held(pool.free.whole(), list(pool.refs), list(pool.lru), list(pool.keys))

    def _compare(
        self, event: Event, source: Source, known: dict[str, Any], args: dict[str, Any], script: Script, result: Any
    ) -> None:
        """What is told against the script; `known` are attributes before the call."""
        same, texts = self.paging.same, [line.strip() for line in source.text.splitlines()]
        if not {text for text, _ in script} <= set(texts):
            self.trusted[event.function] += 1
            return
        ran = [texts[step.line - 1] for step in event.steps if step.line <= len(texts)]
        same("executed lines", ran, [text for text, _ in script])
        same("line numbers", [step.line for step in event.steps], line_numbers(texts, ran, event))
        same("arguments", event.args, args)
        values = {**args, **{name: shown_as(value) for name, value in known.items()}}
        for step, (_, assigned) in zip(event.steps, script, strict=True):
            given = {name: shown_as(value) for name, value in assigned.items()}
            changed = {name: value for name, value in given.items() if name not in values or values[name] != value}
            same(f"values of line {step.line}", step.values, changed)
            values.update(changed)
        same("result of the call", event.result, shown_as(result))

    def _caller(self, event: Event) -> str:
        """For whom a page is taken or looked up."""
        model = self.model
        if model.phase == "refill":
            same, waiting = self.paging.same, model.requests.waiting
            same("task of the call", event.task, waiting[0] if waiting else None)
        return model.requests[event.task].name

    # one function after the other

    def _pool(self, event: Event, source: Source) -> None:
        header = self.model.header
        pool, model = header.scenario.cache, header.scenario.model
        sizes = {"n_layers": model.n_layers, "n_pages": pool.n_pages, "page_size": pool.page_size}
        sizes |= {"n_kv_heads": model.n_kv_heads, "head_dim": model.head_dim}
        how = {"device": "device", "dtype": header.dtype, "prefix_caching": pool.prefix_caching}
        self.paging.same("task of the call", event.task, None)
        self._compare(event, source, {}, {**sizes, **how}, scripts.pool_script(sizes, pool.prefix_caching), None)

    def _pages_for(self, event: Event, source: Source) -> None:
        n, size = self.model.requests[self._caller(event)].n_tokens, self.model.size
        args = {"n_tokens": n, "page_size": size}
        pages = -(-n // size)
        script: Script = [
            ("full, rest = divmod(n_tokens, page_size)", {"full": n // size, "rest": n % size}),
            ("n_pages = full + (rest > 0)", {"n_pages": pages}),
            ("return n_pages", {}),
        ]
        self._compare(event, source, {}, args, script, pages)

    def _alloc(self, event: Event, source: Source) -> None:
        held, task = self._held(), self._caller(event)
        before, mask = held.values(), held.mask
        page = held.alloc()
        script: Script = [("if self._free_mask == 0:", {})]
        if mask:
            script += [
                ("lsb = self._free_mask & -self._free_mask", {"lsb": 1 << page}),
                ("idx = lsb.bit_length() - 1", {"idx": page}),
                ("self._free_mask ^= lsb", {"self._free_mask": held.mask}),
                ("self._refs[idx] = 1", {"self._refs": held.refs}),
                ("return idx", {}),
            ]
        else:
            script.append(("return self.evict()", held.values()))
        self._promised.append((task, page))
        self._compare(event, source, before, {}, script, page)

    def _evict(self, event: Event, source: Source) -> None:
        held, task = self._held(), self._caller(event)
        before = held.values()
        page = held.alloc()
        script: Script = [
            ("if not self._lru:", {}),
            ("idx, _ = self._lru.popitem(last=False)", {"idx": page, "_": None, "self._lru": held.lru}),
            ("self._prefix.forget(idx)", {"self._prefix": held.keyed}),
            ("self._refs[idx] = 1", {"self._refs": held.refs}),
            ("return idx", {}),
        ]
        self._promised.append((task, page))
        self._compare(event, source, before, {}, script, page)

    def _inc_ref(self, event: Event, source: Source) -> None:
        held, task = self._held(), self._caller(event)
        before = held.values()
        found = self.model.hits.get(task, [])
        page = found[len(self.model.pool.tables.get(task, []))]
        held.lru = [cached for cached in held.lru if cached != page]
        held.refs[page] += 1
        script: Script = [
            ("if self._free_mask >> page & 1:", {}),
            ("self._lru.pop(page, None)", {"self._lru": held.lru}),
            ("self._refs[page] += 1", {"self._refs": held.refs}),
        ]
        self._promised.append((task, page))
        self._compare(event, source, before, {"page": page}, script, None)

    def _free(self, event: Event, source: Source) -> None:
        held, request = self._held(), self.model.requests[event.task]
        before, table = held.values(), self.model.pool.tables[request.name]
        page = table[len(table) - 1 - len(request.left)]
        held.let_go(page)
        script: Script = [
            ("if page < 0 or self._refs[page] == 0:", {}),
            ("self._refs[page] -= 1", {"self._refs": held.refs}),
            ("if self._refs[page] == 0:", {}),
        ]
        if held.refs[page] == 0:
            script.append(("if page in self._prefix:", {}))
            stays = ("self._lru[page] = None", {"self._lru": held.lru})
            script.append(
                stays if page in held.keyed else ("self._free_mask |= 1 << page", {"self._free_mask": held.mask})
            )
        self._promised.append((request.name, page))
        self._compare(event, source, before, {"page": page}, script, None)

    def _lookup(self, event: Event, source: Source) -> None:
        model, request = self.model, self.model.requests[self._caller(event)]
        ids, size = request.ids, model.size
        if ids is None:
            self.trusted[event.function] += 1
            return
        model.prefixes.extend(request.chain, ids, request.n_tokens // size)
        loop = "for chunk in full_pages(tokens[:-1], self.page_size):"
        hits: list[int] = []
        found = {"prefix": "Prefix"}
        script: Script = [
            ("if not self.prefix_caching:", {}),
            ("hits, prefix = [], None", {"hits": [], "prefix": None}),
        ]
        former = "page = self._prefix.find(prefix)" in source.text
        for logical in range((len(ids) - 1) // size):
            script.append((loop, {"chunk": ids[logical * size : (logical + 1) * size]}))
            page = model.prefixes.page_of.get(request.chain[logical])
            if former:
                script.append(("prefix = Prefix(prefix, chunk)", found))
                script.append(("page = self._prefix.find(prefix)", {"page": page}))
                script.append(("if page is None:", {}))
            else:
                find = "prefix = self._prefix.find(Prefix(prefix, chunk))"
                script.append((find, found if page is not None else {"prefix": None}))
                script.append(("if prefix is None:", {}))
            if page is None:
                script.append(("break", {}))
                break
            hits = [*hits, page]
            script.append(
                ("hits.append(page)" if former else "hits.append(self._prefix.page_of(prefix))", {"hits": hits})
            )
        else:
            script.append((loop, {}))
        script.append(("return hits", {}))
        self._compare(event, source, self._held().values(), {"tokens": shown_as(ids)}, script, hits)

    def _grow(self, event: Event, source: Source) -> None:
        held, request = self._held(), self.model.requests[event.task]
        before, n = held.values(), request.n_tokens
        table = self.model.pool.tables[request.name]
        missing = -(-n // self.model.size) - len(table)
        script: Script = [
            ("held = len(self.tables[task])", {"held": len(table)}),
            ("missing = pages_for(n_tokens, self.page_size) - held", {"missing": missing}),
            ("if missing > self.n_available:", {}),
        ]
        line = "return [self.extend(task) for _ in range(missing)]"
        inlined = version_of(self.model.header.device.python) >= INLINED
        if inlined:
            script.append((line, {"_": 0} if missing else {}))
        pages = []
        for number in range(1, missing + 1):
            pages.append(held.alloc())
            if inlined:
                script.append((line, {**held.values(), **({"_": number} if number < missing else {})}))
        if not inlined:
            script.append((line, held.values()))
        self._compare(event, source, before, {"task": request.name, "n_tokens": n}, script, pages)

    def _make_room(self, event: Event, source: Source) -> None:
        model, held = self.model, self._held()
        self.paging.same("task of the call", event.task, None)
        request = model.requests[str(event.args.get("task"))]
        running, name = list(model.requests.running), request.name
        before = {"self.running": running}
        tables = {task: list(table) for task, table in model.pool.tables.items()}
        missing = -(-request.n_tokens // model.size) - len(tables[name])
        loop = "while task.status == Status.RUNNING:"
        script: Script = []
        there = name in running and request.status == "running"
        result = False
        while there:
            script += [(loop, {}), ("try:", {}), ("self.cache.grow(task.id, task.n_tokens)", {})]
            if missing <= held.available:
                script.append(("return True", {}))
                result = True
                break
            script += [("except OutOfPages:", {}), ("if self.finished:", {})]
            if model.requests.finished:
                script.append(("return False", {}))
                break
            running = running[:-1]
            script.append(("if not self.preemption:", {}))
            script.append(("self._preempt(self.running[-1])", {"self.running": running}))
            gone = model.requests.running[len(running)]
            for page in reversed(tables.pop(gone)):
                held.let_go(page)
            there = gone != name
        else:
            script += [(loop, {}), ("return False", {})]
        self._compare(event, source, before, {"task": name}, script, result)

    # what is called once a pass, for its tasks

    def passed(self, function: str, batch: Sequence[tuple[str, int, int]]) -> None:
        """Of a `batch` of (task, first position, count) K and V were written, or read from 0 on."""
        event = self.untold.pop(function, None)
        model = self.model
        tables = [model.pool.tables[task] for task, _, _ in batch]
        grown = VIEWING in model.header.sources  # older recordings do not count anew where a table has grown
        names = tuple((task, len(table) if grown else 0) for (task, _, _), table in zip(batch, tables, strict=True))
        self.happened(function, key=(model.phase, names))
        if event is None:
            return
        self.paging.same("task of the call", event.task, None)
        if not self._known:
            self.trusted[function] += 1
            return
        source, known = model.header.sources[function], self._held().values()
        width, size = max(map(len, tables)), model.size
        padded = (page for table in tables for page in (*table, *[-1] * (width - len(table))))
        page_table = tensor([len(batch), width], padded)
        longest, total = max(count for _, _, count in batch), sum(count for _, _, count in batch)
        grid = (start + o if o < count else -1 for _, start, count in batch for o in range(longest))
        positions = tensor([len(batch), longest], grid)
        if function == VIEWING:
            starts, counts = [start for _, start, _ in batch], [count for _, _, count in batch]
            args = {"cache": "PagedCache", "tables": shown_as(tables), "starts": starts, "counts": counts}
            script = scripts.view_script(starts, counts, {"page_table": page_table, "positions": positions})
            self._compare(event, source, {}, args, script, None)
            return
        args = {"layer": model.header.kv_layer, "page_table": page_table}
        every = ((i, offset) for i, (_, _, count) in enumerate(batch) for offset in range(count))
        places = list(islice(every, FIRST))
        at = [batch[i][1] + offset for i, offset in places]
        first = {
            "row": [i for i, _ in places],
            "col": [offset for _, offset in places],
            "pos": at,
            "page": [tables[i][position // size] for (i, _), position in zip(places, at, strict=True)],
            "slot": [position % size for position in at],
        }
        shown = {name: tensor([total], numbers) for name, numbers in first.items()}
        sizes = model.header.scenario.model
        token = [sizes.n_kv_heads, sizes.head_dim]
        padded_kv = {name: {"shape": [len(batch), longest, *token]} for name in "kv"}
        if function == "PagedCache.write":
            args |= {"positions": positions, **padded_kv}
            self._compare(event, source, known, args, scripts.write_script(source, shown), None)
        else:
            args["lengths"] = tensor([len(batch)], (count for _, _, count in batch))
            shown |= {"pos": tensor([longest], range(longest)), **{name: {"shape": [total, *token]} for name in "kv"}}
            self._compare(event, source, known, args, scripts.gather_script(source, shown, padded_kv), "tuple")
