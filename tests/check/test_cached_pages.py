"""Wrong orders, wrong contents and wrong states of cached pages are found and named."""

import pytest

from scenes.check.compare import differences
from scenes.film.catalog import film
from scenes.film.rehearsal import rehearse
from scenes.film.scene import Observer
from scenes.truth import Witness


class Reader(Observer):
    """Keeps what is shown after one beat: the last, or one of a kind."""

    def __init__(self, kind=None):
        self.kind = kind
        self.kept = None

    def beat_ended(self, scene, section, beat):
        if self.kind is None or isinstance(beat, self.kind):
            self.kept = scene.stage.read(), scene.trace, beat.until


@pytest.fixture(scope="module")
def filled():
    """Pages cached and none in use, at the end of a chapter of Eviction."""
    reader = Reader()
    rehearse(film("Eviction"), observers=(reader,), only={"fill"})
    return reader.kept


@pytest.fixture(scope="module")
def queued():
    """Requests waiting, at the end of a chapter of Preemption."""
    reader = Reader()
    rehearse(film("Preemption"), observers=(reader,), only={"out"})
    return reader.kept


def found(kept, **wrong):
    shown, trace, until = kept
    return {d.field for d in differences(shown | wrong, Witness.of(trace), until)}


def test_truth_passes(filled, queued):
    assert len(filled[0]["lru"]) == len(filled[0]["shelf"]) == 9
    assert len(queued[0]["queue"]) == 2
    assert not found(filled) and not found(queued)


def test_another_lru_order(filled):
    assert found(filled, lru=filled[0]["lru"][::-1]) == {"lru"}


def test_another_content_of_a_cached_page(filled):
    first, *rest = filled[0]["shelf"]
    assert found(filled, shelf=[first._replace(first=first.first + 1), *rest]) == {"shelf"}
    assert found(filled, shelf=[*rest, first]) == {"shelf"}


def test_a_cached_page_that_looks_free(filled):
    assert found(filled, cached=filled[0]["cached"] | {2: False}) == {"cached[2]"}


def test_another_queue(queued):
    (name, tokens), *rest = queued[0]["queue"]
    assert found(queued, queue=[*rest, (name, tokens)]) == {"queue"}
    assert found(queued, queue=[(name, tokens + 1), *rest]) == {"queue"}
