"""The rules of cache and scheduler once more, in plain lists: one page, one token at a time.

Shares no code with the engine. A page's key is the whole prefix that it ends, so
there is nothing to hash and nothing to chain.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.scheduler.context_model import next_token


@dataclass
class Request:
    """What the reference knows of a task."""

    name: str
    prompt: int
    max_tokens: int
    tokens: list[int]
    status: str = "waiting"
    kv: int = 0
    noted: int = 0
    last: int = 0

    @property
    def generated(self) -> int:
        return len(self.tokens) - self.prompt


@dataclass
class Reference:
    """A pool and a scheduler over it."""

    n_pages: int
    size: int
    vocab_size: int
    max_batch: int
    prefix_caching: bool
    budget: int | None = None
    preemption: bool = True
    policy: str = "all"
    aging: int | None = None
    steps: int = 0
    refs: list[int] = field(default_factory=list)
    keys: dict[int, tuple[int, ...]] = field(default_factory=dict)
    lru: list[int] = field(default_factory=list)
    tables: dict[str, list[int]] = field(default_factory=dict)
    waiting: list[Request] = field(default_factory=list)
    running: list[Request] = field(default_factory=list)
    finished: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.refs = [0] * self.n_pages

    # pages

    def free_pages(self) -> list[int]:
        return [p for p in range(self.n_pages) if self.refs[p] == 0 and p not in self.lru]

    def pages(self, n_tokens: int) -> int:
        return -(-n_tokens // self.size)

    def available(self) -> int:
        return self.refs.count(0)

    def take(self) -> int:
        page = min(self.free_pages(), default=None)
        if page is None:
            page = self.lru.pop(0)
            del self.keys[page]
        self.refs[page] = 1
        return page

    def drop(self, page: int) -> None:
        assert self.refs[page] > 0
        self.refs[page] -= 1
        if self.refs[page] == 0 and page in self.keys:
            self.lru.append(page)

    def release(self, request: Request) -> None:
        for page in self.tables.pop(request.name, [])[::-1]:
            self.drop(page)
        request.kv = request.noted = 0

    def hits(self, tokens: list[int]) -> list[int]:
        found = []
        while self.prefix_caching and (end := (len(found) + 1) * self.size) < len(tokens):
            holders = [page for page, key in self.keys.items() if key == tuple(tokens[:end])]
            if not holders:
                break
            (page,) = holders
            found.append(page)
        return found

    def admit(self, request: Request) -> bool:
        hits = self.hits(request.tokens)
        new = self.pages(len(request.tokens)) - len(hits)
        if new > sum(self.refs[p] == 0 and p not in hits for p in range(self.n_pages)):
            return False
        for page in hits:
            self.refs[page] += 1
            if page in self.lru:
                self.lru.remove(page)
        self.tables[request.name] = [*hits, *(self.take() for _ in range(new))]
        request.kv = len(hits) * self.size
        request.status = "prefilling"
        return True

    def note_full_pages(self, request: Request) -> None:
        while self.prefix_caching and (end := (request.noted + 1) * self.size) <= request.kv:
            page = self.tables[request.name][request.noted]
            prefix = tuple(request.tokens[:end])
            if page not in self.keys and prefix not in self.keys.values():
                self.keys[page] = prefix
            request.noted += 1

    def reset(self) -> bool:
        if any(self.refs):
            return False
        self.lru.clear()
        self.keys.clear()
        return True

    # tasks

    def most_pages(self, request: Request) -> int:
        return self.pages(request.prompt + request.max_tokens - 1)

    def submit(self, name: str, prompt: list[int], max_tokens: int) -> bool:
        request = Request(name, len(prompt), max_tokens, list(prompt))
        if self.most_pages(request) > self.n_pages:
            return False
        self.waiting.append(request)
        return True

    def all(self) -> list[Request]:
        return [*self.waiting, *self.running, *self.finished]

    def finish(self, request: Request) -> None:
        for queue in (self.waiting, self.running):
            if request in queue:
                queue.remove(request)
        request.status = "finished"
        self.finished.append(request)

    def abort(self, name: str) -> None:
        (request,) = [r for r in self.all() if r.name == name]
        if request.status != "finished":
            self.finish(request)

    def add_token(self, request: Request) -> None:
        assert request.kv == len(request.tokens)
        request.tokens.append(next_token(request.tokens, self.vocab_size))
        request.last = self.steps
        if request.generated == request.max_tokens:
            self.finish(request)

    def step(self) -> int:
        """One step; returns how many tokens it computed."""
        while self.finished:
            self.release(self.finished.pop(0))
        while self.waiting and len(self.running) < self.max_batch:
            first = self.waiting[0]
            promised = sum(self.most_pages(r) for r in [*self.running, first])
            if not self.preemption and promised > self.n_pages:
                break
            if not self.admit(first):
                break
            self.running.append(self.waiting.pop(0))
        computed = self.prefill()
        computed += self.decode(computed)
        self.steps += 1
        return computed

    def prefill(self) -> int:
        left = None
        if self.budget is not None:
            left = self.budget - sum(r.status == "running" for r in self.running)
        counts = []
        for request in self.running:
            if request.status == "prefilling":
                count = len(request.tokens) - request.kv
                if left is not None:
                    count = min(count, left)
                    left -= count
                if count:
                    counts.append((request, count))
        for request, count in counts:
            request.kv += count
            self.note_full_pages(request)
            if request.kv == len(request.tokens):
                request.status = "running"
                self.add_token(request)
        return sum(count for _, count in counts)

    def decode(self, computed: int) -> int:
        picked = [r for r in self.running if r.status == "running"]
        if self.policy == "same-position" and picked:
            lengths = [len(r.tokens) for r in picked]
            length = max(lengths, key=lengths.count)
            waits = [self.steps - r.last for r in picked]
            if self.aging is not None and max(waits) >= self.aging:
                length = lengths[waits.index(max(waits))]
            picked = [r for r in picked if len(r.tokens) == length]
        if self.budget is not None:
            picked = picked[: self.budget - computed]
        grown = [request for request in picked if self.grow(request)]
        batch = [request for request in grown if request.status == "running"]
        for request in batch:
            request.kv += 1
            self.note_full_pages(request)
            self.add_token(request)
        return len(batch)

    def grow(self, request: Request) -> bool:
        while request.status == "running":
            if len(request.tokens) <= len(self.tables[request.name]) * self.size:
                return True
            if self.available():
                self.tables[request.name].append(self.take())
                return True
            if self.finished:
                return False
            assert self.preemption
            last = self.running.pop()
            self.release(last)
            last.status = "preempted"
            self.waiting.insert(0, last)
        return False
