"""Executed lines: which lines a call must have run, and the value of each, from the state before it.

Each function that films show is followed here in words of its own: a script of (line of the source,
what it assigns). Nothing of the trace's text is ever run. A call whose source has a line that the
script does not know is taken on trust, and counted.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from astrai_sim.trace.events import Event
from astrai_sim.trace.roles import ROLES
from astrai_sim.trace.verify import scripts
from astrai_sim.trace.verify.scripts import Held, Script, Told, shown_as
from astrai_sim.trace.verify.serving import Serving

CALLS = 4
PASSES = ("view", "write", "gather")
"""Roles of functions that are called once a forward pass."""
SILENT = ("pages", "grow", "room")
"""Roles of functions of whose calls no event tells."""
INLINED = (3, 12)
"""From this Python on the loop of a list comprehension runs in the frame around it, line by line."""


class Calls:
    """Checks `lines` events, and that the first calls of each function have one."""

    def __init__(self, model: Serving) -> None:
        record = model.header.scenario.record
        self.model, self.paging, self.traced = model, model.paging, model.policy["calls-traced"]
        self.sources = model.header.sources
        self.names = {role: model.header.function(role) for role in ROLES}
        self.roles = {name: role for role, name in self.names.items()}
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
        told = event.event == "lines" and self.roles.get(event.function) == "make"
        if told or self.model.policy["scenario-kept"].claimed:
            self.traced.same("lines that made the pool", told, self.most > 0 and self.names["view"] is not None)

    def check(self, event: Event) -> None:
        """A call is told. Those of a pass are checked when it is known for whom they were."""
        traced, function = self.traced, event.function
        source = self.sources.get(function)
        if source is None:
            raise self.model.format.lie(f"the header has no source of {function!r}")
        for step in event.steps:
            self.model.format.number("line", step.line, 1, len(source.text.splitlines()) + 2)
        late = self.steps is not None and event.step >= self.steps
        traced.true("calls told", not late, f"a call in step {event.step}, of which no lines were to be recorded")
        role = self.roles.get(function)
        traced.true("calls told", role not in self._seen, f"{function} is told twice for one call")
        if role == "make":
            traced.same("event that tells how the pool was made", self.model.seq, 0)
            self.paging.same("task of the call", event.task, None)
            self._compare(event, scripts.making(self.model.header))
            return
        if role in PASSES:
            self.untold[role] = event
        elif self._known and (script := getattr(self, f"_{role}", None)):
            self._compare(event, script(event))
        else:
            self.trusted[function] += 1
        if role in SILENT:
            self._counts[role] += 1
            count = self._counts[role]
            traced.true("calls told", count <= self.most, f"call {count} of {function}: {self.most} were to be")
        elif role is not None:
            self._seen.add(role)

    def happened(self, role: str, task: str | None = None, page: int | None = None, key: Any = None) -> None:
        """Events show that the function of a role was called: its lines came before where they had to."""
        number, step, function = self._counts[role, key], self.model.step, self.names[role]
        self._counts[role, key] += 1
        due = number < self.most and (self.steps is None or step < self.steps)
        if function is not None:
            name = f"lines of call {number + 1} of {function}"
            self.traced.same(name if due else "calls told", role in self._seen, due)
        self._seen.discard(role)
        if page is not None and self._promised and role != "evict":
            for promise in self._promised:
                self.paging.same("task and page of the call", (task, page), promise)
            self._promised = []

    def due(self) -> None:
        """Nothing that was told may be left without effect."""
        if self._promised:
            raise self.paging.lie(f"a call was told about page {self._promised[0][1]}, but nothing came of it")
        if self._seen:
            told = ", ".join(sorted(str(self.names[role]) for role in self._seen))
            raise self.paging.lie(f"lines of {told} without what the call did")

    def _held(self) -> Held:
        pool = self.model.pool
        return Held(pool.free.whole(), list(pool.refs), list(pool.lru), list(pool.keys))

    def _compare(self, event: Event, told: Told) -> None:
        """What is told against the script; attributes are known before the call, but for the one that sets them."""
        same, source, (args, script, result) = self.paging.same, self.sources[event.function], told
        texts = [*(line.strip() for line in source.text.splitlines()), ""]
        lines = [line if isinstance(line, tuple) else (line, {}) for line in script]
        if not {text for text, _ in lines} <= set(texts):
            self.trusted[event.function] += 1
            return
        same("executed lines", [texts[step.line - 1] for step in event.steps], [text for text, _ in lines])
        values = {name: shown_as(value) for name, value in args.items()}
        same("arguments", event.args, values)
        held = {**self._held().values(), "self.running": list(self.model.requests.running)}
        values |= (
            {} if self.roles.get(event.function) == "make" else {name: shown_as(value) for name, value in held.items()}
        )
        for step, (_, assigned) in zip(event.steps, lines, strict=True):
            given = {name: shown_as(value) for name, value in assigned.items()}
            changed = {name: value for name, value in given.items() if name not in values or values[name] != value}
            same(f"values of line {step.line}", step.values, changed)
            values.update(changed)
        same("result of the call", event.result, shown_as(result))

    def _caller(self, event: Event) -> str:
        """For whom a page is taken or looked up."""
        requests = self.model.requests
        if self.model.phase == "refill":
            self.paging.same("task of the call", event.task, requests.waiting[0] if requests.waiting else None)
        return requests[event.task].name

    # what each function is given, runs and returns

    def _pages(self, event: Event) -> Told:
        n, size = self.model.requests[self._caller(event)].n_tokens, self.model.size
        pages = self.model.pool.pages_for(n)
        script: Script = [
            ("full, rest = divmod(n_tokens, page_size)", {"full": n // size, "rest": n % size}),
            ("n_pages = full + (rest > 0)", {"n_pages": pages}),
            "return n_pages",
        ]
        return {"n_tokens": n, "page_size": size}, script, pages

    def _alloc(self, event: Event) -> Told:
        held = self._held()
        script: Script = ["if self._free_mask == 0:"]
        free, page = held.mask, held.alloc()
        self._promised.append((self._caller(event), page))
        if not free:
            return {}, [*script, ("return self.evict()", held.values())], page
        script += [
            ("lsb = self._free_mask & -self._free_mask", {"lsb": 1 << page}),
            ("idx = lsb.bit_length() - 1", {"idx": page}),
            ("self._free_mask ^= lsb", {"self._free_mask": held.mask}),
            ("self._refs[idx] = 1", {"self._refs": held.refs}),
            "return idx",
        ]
        return {}, script, page

    def _evict(self, event: Event) -> Told:
        held = self._held()
        page = held.alloc()
        self._promised.append((self._caller(event), page))
        script: Script = [
            "if not self._lru:",
            ("idx, _ = self._lru.popitem(last=False)", {"idx": page, "_": None, "self._lru": held.lru}),
            ("self._prefix.forget(idx)", {"self._prefix": held.keyed}),
            ("self._refs[idx] = 1", {"self._refs": held.refs}),
            "return idx",
        ]
        return {}, script, page

    def _share(self, event: Event) -> Told:
        held, task = self._held(), self._caller(event)
        page = self.model.hits.get(task, [])[len(self.model.pool.table(task))]
        held.lru = [cached for cached in held.lru if cached != page]
        held.refs[page] += 1
        self._promised.append((task, page))
        script: Script = [
            "if self._free_mask >> page & 1:",
            ("self._lru.pop(page, None)", {"self._lru": held.lru}),
            ("self._refs[page] += 1", {"self._refs": held.refs}),
        ]
        return {"page": page}, script, None

    def _free(self, event: Event) -> Told:
        held, request = self._held(), self.model.requests[event.task]
        table = self.model.pool.tables[request.name]
        page = table[len(table) - 1 - len(request.left)]
        held.let_go(page)
        self._promised.append((request.name, page))
        script: Script = [
            "if page < 0 or self._refs[page] == 0:",
            ("self._refs[page] -= 1", {"self._refs": held.refs}),
            "if self._refs[page] == 0:",
        ]
        if held.refs[page] == 0:
            stays = ("self._lru[page] = None", {"self._lru": held.lru})
            freed = ("self._free_mask |= 1 << page", {"self._free_mask": held.mask})
            script += ["if page in self._prefix:", stays if page in held.keyed else freed]
        return {"page": page}, script, None

    def _lookup(self, event: Event) -> Told:
        request, size, prefixes = self.model.requests[self._caller(event)], self.model.size, self.model.prefixes
        ids = request.ids or []
        former = "page = self._prefix.find(prefix)" in self.sources[event.function].text
        keep = "hits.append(page)" if former else "hits.append(self._prefix.page_of(prefix))"
        loop = "for chunk in full_pages(tokens[:-1], self.page_size):"
        hits: list[int] = []
        script: Script = ["if not self.prefix_caching:", ("hits, prefix = [], None", {"hits": [], "prefix": None})]
        for logical, chain in enumerate(
            prefixes.extend(request.chain, ids, len(ids) // size)[: (len(ids) - 1) // size]
        ):
            script.append((loop, {"chunk": ids[logical * size : (logical + 1) * size]}))
            page = self.model.pool.page_of.get(chain)
            if former:
                script.append(("prefix = Prefix(prefix, chunk)", {"prefix": "Prefix"}))
                script += [("page = self._prefix.find(prefix)", {"page": page}), "if page is None:"]
            else:
                found = {"prefix": None if page is None else "Prefix"}
                script += [("prefix = self._prefix.find(Prefix(prefix, chunk))", found), "if prefix is None:"]
            if page is None:
                script.append("break")
                break
            hits = [*hits, page]
            script.append((keep, {"hits": hits}))
        else:
            script.append(loop)
        return {"tokens": ids}, [*script, "return hits"], hits

    def _grow(self, event: Event) -> Told:
        held, request = self._held(), self.model.requests[event.task]
        table = self.model.pool.tables[request.name]
        missing = self.model.pool.pages_for(request.n_tokens) - len(table)
        script: Script = [
            ("held = len(self.tables[task])", {"held": len(table)}),
            ("missing = pages_for(n_tokens, self.page_size) - held", {"missing": missing}),
            "if missing > self.n_available:",
        ]
        line = "return [self.extend(task) for _ in range(missing)]"
        python = self.model.header.device.python.split(".")[:2]
        inlined = tuple(int(part) for part in python if part.isdigit()) >= INLINED
        if inlined:
            script.append((line, {"_": 0} if missing else {}))
        pages = []
        for number in range(1, missing + 1):
            pages.append(held.alloc())
            if inlined:
                script.append((line, {**held.values(), **({"_": number} if number < missing else {})}))
        if not inlined:
            script.append((line, held.values()))
        return {"task": request.name, "n_tokens": request.n_tokens}, script, pages

    def _room(self, event: Event) -> Told:
        pool, requests, held = self.model.pool, self.model.requests, self._held()
        self.paging.same("task of the call", event.task, None)
        request = requests[str(event.args.get("task"))]
        running, name = list(requests.running), request.name
        missing = pool.pages_for(request.n_tokens) - len(pool.tables[name])
        loop = "while task.status == Status.RUNNING:"
        script: Script = []
        there = name in running and request.status == "running"
        while there:
            script += [loop, "try:", "self.cache.grow(task.id, task.n_tokens)"]
            if missing <= held.mask.bit_count() + len(held.lru):
                script.append("return True")
                break
            script += ["except OutOfPages:", "if self.finished:"]
            if requests.finished:
                script.append("return False")
                break
            *running, gone = running
            script += ["if not self.preemption:", ("self._preempt(self.running[-1])", {"self.running": running})]
            for page in reversed(pool.tables[gone]):
                held.let_go(page)
            there = gone != name
        else:
            script += [loop, "return False"]
        return {"task": name}, script, script[-1] == "return True"

    # what is called once a pass, for its tasks

    def passed(self, role: str, batch: Sequence[tuple[str, int, int]]) -> None:
        """Of a `batch` of (task, first position, count) K and V were written, or read from 0 on."""
        event, model = self.untold.pop(role, None), self.model
        tables = [model.pool.tables[task] for task, _, _ in batch]
        grown = self.names["view"] is not None  # older recordings do not count anew where a table has grown
        names = tuple((task, len(table) if grown else 0) for (task, _, _), table in zip(batch, tables, strict=True))
        self.happened(role, key=(model.phase, names))
        if event is None:
            return
        self.paging.same("task of the call", event.task, None)
        if self._known:
            spans = [(start, count) for _, start, count in batch]
            self._compare(event, scripts.passing(model.header, role, tables, spans))
        else:
            self.trusted[event.function] += 1
