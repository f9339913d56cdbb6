"""The film's length is asked for and met, or refused with the nearest that can be."""

import math
import re

import pytest

from astrai_sim.trace import Trace
from scenes.farm.crew import Crew
from scenes.film import catalog
from scenes.film.moments import within
from scenes.film.pacing import ACCEPTED, TOLERANCE, CannotPace
from scenes.film.quality import PREVIEW, QUALITIES, Quality
from scenes.film.rehearsal import rehearse
from scenes.film.render import render_film
from scenes.film.scene import ASSETS
from scenes.lint.linter import Linter, lint
from scenes.stage.pacing import keep, layers, stretch
from scenes.stage.shot import Act, Section, Shot, Storyboard
from tests.film.test_join import frame_count
from tests.film.tiny import TinyFilm

FILMS = sorted(catalog.films().values(), key=lambda film: film.__name__)
LENGTHS = (20, 30, 60, 180)

QUICK = {"ChunkedPrefill", "Fragmentation", "Opening"}
"""Films whose lengths are tried in the usual run."""

every_film = pytest.mark.parametrize("film", FILMS, ids=lambda film: film.__name__)


def own_trace(film):
    return Trace.open(ASSETS / "traces" / film.default_trace)


def shortest(error: CannotPace) -> int:
    return int(
        re.fullmatch(
            r"\w+ takes at least (\d+) s for this trace: "
            r"ask for --seconds \1",
            str(error),
        )[1]
    )


@pytest.fixture
def board():
    return Storyboard(
        "Some",
        (
            Section("a", "A", -1, (Shot(0), Shot(1, detail=2), Shot(1, detail=1))),
            Section("b", "B", 1, (Shot(1), Shot(1, detail=3)), detail=1),
        ),
    )


def beats(storyboard):
    return {section.key: len(section.beats) for section in storyboard.sections}


def test_the_most_needed_layers_come_first(board):
    ordered = layers(board)
    assert [(layer.weight, layer.section) for layer in ordered] == [(0, 0), (1, 0), (1, 1), (2, 0), (3, 1)]
    assert beats(keep(board, ordered)) == {"a": 3, "b": 2}
    assert beats(keep(board, ordered[:3])) == {"a": 2, "b": 1}
    assert beats(keep(board, ordered[:1])) == {"a": 1}


def test_only_the_pace_is_stretched():
    acts = (Act(3, (), seconds=2.0),)
    board = Storyboard("Some", (Section("a", "A", -1, (Shot(3, "Some words.", acts=acts, pace=1.5, rest=1.0),)),))
    longer = stretch(board, 2.0).sections[0].beats[0]
    assert (longer.pace, longer.rest, longer.acts) == (3.0, 1.0, acts)
    assert (longer.until, longer.caption) == (3, "Some words.")


@pytest.mark.parametrize(
    "film",
    [pytest.param(film, id=film.__name__, marks=() if film.__name__ in QUICK else pytest.mark.slow) for film in FILMS],
)
def test_length_is_met_or_refused(film):
    trace = own_trace(film)
    for seconds in (40, 120):
        check_length(film, trace, seconds)


@pytest.mark.slow
@every_film
@pytest.mark.parametrize("seconds", LENGTHS)
def test_every_length_is_met_or_refused(film, seconds):
    linter = Linter()
    if check_length(film, own_trace(film), seconds, observers=(linter,), moments=within):
        assert [str(finding) for finding in linter.finish()] == []


def check_length(film, trace, seconds, **watched):
    """Whether the film is as long as asked; it is, or says truly how long it is at least."""
    try:
        assert_length(rehearse(film, trace, seconds=seconds, **watched), seconds)
        return True
    except CannotPace as error:
        least = shortest(error)
        assert least > seconds * (1 + ACCEPTED) - 1
        assert_length(rehearse(film, trace, seconds=least), least)
        return False


def assert_length(rehearsal, seconds):
    """At any rate of frames: each section ends with a whole one."""
    for quality in (*QUALITIES.values(), Quality("coarse", 160, 90, 12)):
        length = sum(frames_of(rehearsal, quality)) / quality.fps
        assert length == pytest.approx(seconds, rel=TOLERANCE), quality.name
    assert rehearsal.seconds == pytest.approx(seconds, rel=TOLERANCE)


@pytest.mark.parametrize("name, seconds", [("Opening", 20), ("PrefixCache", 30)])
def test_short_films_are_as_long_as_asked_at_every_quality(name, seconds, two_requests):
    """Short ones have the most animations for their length, and none of these is refused."""
    trace = two_requests if name == "PrefixCache" else None
    assert_length(rehearse(catalog.film(name), trace, seconds=seconds), seconds)


def frames_of(rehearsal, quality):
    return [math.ceil(section.seconds * quality.fps - 1e-6) for section in rehearsal.sections]


@pytest.mark.parametrize("fps", [7, PREVIEW.fps, 24])
def test_a_film_has_the_frames_that_are_counted(two_requests, tmp_path, fps):
    quality = Quality("tiny", 160, 90, fps)
    render_film(TinyFilm, two_requests, quality, media=tmp_path, crew=Crew(1))
    clips = {clip.name.split("-")[0]: frame_count(clip) for clip in tmp_path.glob("sections/*/*.mp4")}
    played = rehearse(TinyFilm, two_requests)
    keys = [section.section.key for section in played.sections]
    assert clips == dict(zip(keys, frames_of(played, quality), strict=True))


@pytest.mark.slow
def test_prefix_cache_meets_half_a_minute_and_three(two_requests):
    """So that a refusal cannot stand in for a film that is never paced."""
    film = catalog.film("PrefixCache")
    told = [rehearse(film, two_requests, seconds=seconds).scene.storyboard for seconds in (30, 180)]
    assert len(told[0].sections) < len(told[1].sections)
    assert sum(len(s.beats) for s in told[0].sections) < sum(len(s.beats) for s in told[1].sections)


def test_too_short_says_how_short_it_can_be(two_requests):
    with pytest.raises(CannotPace) as error:
        rehearse(catalog.film("PrefixCache"), two_requests, seconds=5)
    assert shortest(error.value) > 5


def test_too_long_says_how_long_it_can_be(two_requests):
    with pytest.raises(CannotPace, match=r"takes at most \d+ s for this trace"):
        rehearse(TinyFilm, two_requests, seconds=3600)


def test_captions_keep_their_reading_time(two_requests):
    """A squeezed film is as clean as the whole one: lint has the rule for captions."""
    assert lint(catalog.film("PrefixCache"), two_requests, 35) == []
