"""Methods are wrapped on instances and on classes, and are what they were afterwards."""

from __future__ import annotations

from typing import Any, cast

from astrai_sim.engine.clock import RealClock
from astrai_sim.recorder.watching import Original, Watcher
from astrai_sim.trace.header import RecordPart


class Pool:
    """Frees lists of pages; while one is `lazy`, its method is another."""

    def free(self, page: int) -> int:
        """One of them."""
        return page

    def lazy(self) -> list[int]:
        """Replaces its own method for a while, and deletes that again."""
        gone: list[int] = []
        self.free = gone.append  # type: ignore[method-assign, assignment]
        self.free(1)
        del self.free
        return gone


def watcher() -> tuple[Watcher, list[int], Any]:
    seen: list[int] = []

    def handler(original: Original, page: int) -> int:
        seen.append(page)
        return original(page)

    return Watcher(cast("Any", None), RealClock(), RecordPart()), seen, handler


def test_a_method_of_a_class_stays_watched_where_the_instance_replaces_and_deletes_it() -> None:
    (watching, seen, handler), pool, other = watcher(), Pool(), Pool()
    before = dict(vars(Pool))
    watching._wrap_class(pool, "free", handler)
    assert [pool.free(3), pool.lazy(), pool.free(4), other.free(5)] == [3, [1], 4, 5]
    assert seen == [3, 4]
    watching.detach()
    assert dict(vars(Pool)) == before
    assert vars(pool) == {}
    assert pool.free(6) == 6
    assert seen == [3, 4]


def test_what_an_instance_had_of_its_own_is_put_back() -> None:
    (watching, seen, handler), pool = watcher(), Pool()
    own = pool.free = lambda page: page + 1  # type: ignore[method-assign, assignment]
    watching._wrap(pool, "free", handler)
    assert pool.free(3) == 4
    assert seen == [3]
    watching.detach()
    assert vars(pool) == {"free": own}
