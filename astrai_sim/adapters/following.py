"""Following a live engine: what happens to its requests and to the pages of each, as events."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from astrai_sim.adapters.stepping import Followed, Stepper


class Follower(Stepper):
    """What adapters of all engines share: each method writes down what the engine has just done."""

    trying: Followed | None = None
    """Whose pages the engine tries to find."""

    # requests

    def admitted(self, request: Followed, cached: int) -> None:
        """A request has its pages, and K and V of its first `cached` tokens."""
        self.running.append(request)
        request.status, request.kv = "prefilling", cached
        counts = {"tokens": len(request.tokens), "cached_tokens": cached}
        self._emit("task_admitted", task=request.name, **counts, pages=list(request.table))
        self._phase_tasks.append(request.name)

    def computed(self, spans: list[dict[str, Any]], rows: list[dict[str, Any]]) -> None:
        """A pass wrote `spans`, and read `rows` where attention did."""
        layer = self.asked.kv_layer
        self._emit("kv_write", layer=layer, spans=spans)
        self._emit("gather", layer=layer, rows=rows)
        for span in spans:
            request = self.named[span["task"]]
            request.kv = span["start"] + span["count"]
            self._phase_tasks.append(request.name)
            if request.status == "prefilling":
                told, total = {"task": request.name, "start": span["start"], "end": request.kv}, len(request.tokens)
                if request.kv < total:
                    self._emit("chunk", **told, total=total)
                else:
                    self._emit("task_prefilled", **told)
                    request.status = "running"

    def token(self, request: Followed, token: int, stops: Sequence[int]) -> None:
        """A request gets a token; it is finished if that is its last."""
        self.answered(request, token)
        if token in stops:
            self.finish(request, "eos")
        elif request.generated >= request.max_tokens:
            self.finish(request, "length")

    def answered(self, request: Followed, token: int) -> None:
        """A request gets a token, whatever becomes of it then."""
        fields: dict[str, Any] = {"index": request.generated, "position": len(request.tokens), "source": self.phase}
        if request.spoken is not None:
            with self.clock.aside:
                fields["text"] = request.spoken.feed(token)
        self._emit("token", task=request.name, id=token, **fields)
        request.tokens.append(token)
        request.generated += 1

    def finish(self, request: Followed, reason: str) -> None:
        """A request is done; nothing where it is already."""
        if request.status == "finished":
            return
        if request.status != "waiting":
            self.running.remove(request)
        request.status = "finished"
        self.finished.append(request)
        counts = {"tokens": len(request.tokens), "generated": request.generated}
        self._emit("task_finished", task=request.name, reason=reason, **counts)

    # pages

    @contextmanager
    def serving(self, request: Followed) -> Iterator[None]:
        """Pages that come in here go to the end of a request's table, and those that go leave it."""
        with self._about(request.name):
            yield
            if request.left:
                request.table, request.left = [], set()
                self._emit("table", task=request.name, pages=[])

    def _of(self) -> Followed | None:
        """The request that pages come and go for."""
        return self.named.get(self.task or "")

    def came(self, event: str, page: int, lru: bool = False) -> None:
        """A page is taken, shared or revived."""
        request = self._of()
        with self._about(self.task, len(request.table) if request else None):
            self._page_event(event, page, lru)
        if request:
            request.table.append(page)
            self._emit("table", task=request.name, pages=list(request.table))

    def went(self, event: str, page: int) -> None:
        """A page is let go; it is cached or free, where nobody else holds it."""
        request = self._of()
        entries = enumerate(request.table) if request else ()
        held = [i for i, entry in entries if entry == page and request and i not in request.left]
        if request and held:
            request.left.add(held[0])
        if event == "page_free" and not self.pool.refs[page]:
            self.keys_of.pop(page, None)
        with self._about(self.task, held[0] if held else None):
            self._page_event(event, page, lru=event == "page_cached")

    def evicted(self, page: int) -> None:
        """A cached page loses its content, right before it is taken."""
        self._emit("page_evicted", page=page, key=self.keys_of.pop(page, ""), **self._lru())

    def keyed(self, request: Followed, page: int, logical: int, key: str, parent: str) -> None:
        """A full page can be found by its `key` from now on, and no other by it; nothing where it can already."""
        if self.keys_of.get(page) == key:
            return
        for other in [other for other, known in self.keys_of.items() if known == key and self.pool.refs[other]]:
            del self.keys_of[other]
        self.keys_of[page] = key
        self._emit("page_keyed", page=page, task=request.name, logical=logical, key=key, parent=parent)

    def looked_up(self, hits: Sequence[int]) -> None:
        """A lookup for the request that pages come for found `hits`."""
        request, size = self._of(), self.pool.page_size
        if request is None:
            return
        if hits:
            self._emit("prefix_hit", task=request.name, pages=list(hits), tokens=len(hits) * size)
        if len(hits) < (len(request.tokens) - 1) // size:
            self._emit("prefix_miss", task=request.name, logical=len(hits))

    def attempt(self, request: Followed, allocate: Callable[[], Any], refused: Callable[[Any], bool]) -> Any:
        """Let the engine `allocate` a request's pages; where it was refused and nothing changed, nothing is told."""
        before, traced, queue = self._everything(), self._traced.copy(), self._queues[-1]
        mark, self.trying = len(queue), request
        try:
            with self.serving(request):
                result = allocate()
        finally:
            self.trying = None
        if refused(result) and before == self._everything():
            del queue[mark:]
            self._traced = traced
        return result

    def _everything(self) -> tuple:
        pool = self.pool
        return pool.free_mask, list(pool.refs), pool.lru, dict(self.keys_of)
