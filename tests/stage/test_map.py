"""The map: every page in its cell, in the right colour, drawn where it says."""

import numpy as np
import pytest
from manim import tempconfig

from scenes import theme
from scenes.check.checker import Checker
from scenes.check.compare import differences
from scenes.draw.camera import FilmCamera
from scenes.draw.cells import MANY, CellField
from scenes.draw.layout import Box
from scenes.film.checking import check
from scenes.film.rehearsal import rehearse
from scenes.film.scene import Observer
from scenes.film.settings import QUIET
from scenes.lint.rules.colors import differences as color_differences
from scenes.measures.forms import clock_text
from scenes.old.animations.replay import Replay
from scenes.old.mobjects.lens import runs_of
from scenes.old.mobjects.map import EMPTY, MapGrid, PageColors, PageMap, ramp
from scenes.old.parts.occupancy import page_colors
from scenes.pool_at_scale import PoolAtScale, PoolAtScaleChapters
from scenes.story.beats import TimeLapse
from scenes.story.history import firsts, history_of
from scenes.story.lapse import lapse
from scenes.story.limits import LEAST_PITCH
from scenes.truth import SHOWN, Witness
from tests.film.test_any_trace import load
from tests.trace.recording import crowd, recorded

WIDTH, HEIGHT = 1720.0, 300.0


@pytest.fixture(scope="module")
def big(tmp_path_factory):
    """Forty requests on 3,000 pages."""
    return recorded(load(3000, 40), tmp_path_factory.mktemp("big") / "big.jsonl")


@pytest.mark.parametrize("n_pages", [34, 64, 300, 5000, 16384, 65536, 100_000])
def test_every_page_has_a_cell_that_can_be_seen(n_pages):
    grid = MapGrid.of(n_pages, WIDTH, HEIGHT)
    assert grid.columns * grid.rows >= grid.cells >= n_pages / grid.group
    assert min(WIDTH / grid.columns, HEIGHT / grid.rows) >= LEAST_PITCH
    assert grid.group == 1 or WIDTH * HEIGHT / (n_pages / (grid.group / 2)) < (LEAST_PITCH + 1) ** 2


def test_a_group_has_the_mean_colour_of_its_taken_pages():
    grid = MapGrid(n_pages=10, group=4, columns=3, rows=1)
    shades = ramp(np.linspace(0.0, 1.0, 10))
    taken = np.array([1, 1, 1, 0, 0, 0, 0, 0, 1, 1], dtype=bool)
    mixed, empty, rest = grid.colors(PageColors(shades, taken, np.zeros(10, dtype=bool)))
    mean = shades[:3].mean(axis=0)
    assert np.allclose(mixed, EMPTY + (mean - EMPTY) * (0.3 + 0.7 * 0.75))
    assert np.allclose(empty, EMPTY)
    assert np.allclose(rest, shades[8:].mean(axis=0))
    lit, _, _ = grid.colors(PageColors(shades, taken, np.arange(10) == 1))
    assert np.allclose(lit, EMPTY + (shades[1] - EMPTY) * (0.3 + 0.7 * 0.75))


def test_the_ramp_goes_through_its_stops_and_keeps_clear_of_cached_and_free():
    stops = np.array([theme.rgb(color) for color in theme.ARRIVAL])
    assert np.allclose(ramp(np.linspace(0, 1, len(stops))), stops)
    for shade in ramp(np.linspace(0, 1, 33)):
        color = "#" + bytes(np.rint(shade * 255).astype(np.uint8)).hex()
        for other in (theme.CACHED, theme.EMPTY):
            assert min(color_differences(color, other).values()) > 12


def expected(trace, seq, group=1, lit=()):
    """Colours of the map's cells as the check has them."""
    return SHOWN["map"](Witness.of(trace), seq, {"map_group": group, "map_lit": lit})


@pytest.mark.parametrize("group", [1, 2, 8])
def test_colours_are_those_of_the_replayed_state(big, group):
    """Worked out twice, by the stage and by the check, each in its own way."""
    for seq in np.linspace(0, len(big) - 1, 7).astype(int):
        state = big.state_at(int(seq))
        grid = MapGrid(3000, group, 100, -(-3000 // group // 100) + 1)
        for lit in ((), tuple(state.tables)[:2]):
            shown = grid.colors(page_colors(state, 40, lit))
            assert np.allclose(shown, expected(big, int(seq), group, lit))


def test_lit_pages_are_those_of_the_task(big):
    state = big.state_at(len(big) // 2)
    task = list(state.tables)[1]
    pages = page_colors(state, 40, (task,))
    assert np.flatnonzero(pages.lit).tolist() == sorted(state.tables[task])
    assert np.allclose(pages.colors[state.tables[task]], theme.rgb(theme.task_color(state.tasks.index(task))))
    assert not np.isclose(pages.colors[~pages.lit], page_colors(state, 40).colors[~pages.lit]).all()


def test_a_wrong_cell_is_named(big):
    witness, at = Witness(big), len(big) // 2
    shown = {"map": expected(big, at), "map_group": 1, "lens_cells": {7: 7}}
    assert not list(differences(shown, witness, at))
    shown["map"][1234] = theme.rgb(theme.WARNING)
    shown["lens_cells"][8] = 9
    assert {d.field for d in differences(shown, witness, at)} == {"map[1234]", "lens_cells[8]"}


def test_cells_are_drawn_where_they_are():
    field = CellField(Box(100, 100, 800, 400), 1000, 40, gap=2)
    assert field.n > MANY
    colors = np.random.default_rng(0).random((field.n, 3))
    field.rgba[:, :3], field.rgba[:, 3] = colors, 1.0
    field.rgba[17, 3] = 0.0
    with tempconfig(QUIET | {"pixel_width": 1920, "pixel_height": 1080, "frame_rate": 60}):
        camera = FilmCamera()
        camera.capture_mobjects([field])
        picture = camera.pixel_array
    for index in (0, 16, 39, 40, 555, 999):
        box = field.cell_box(index)
        drawn = picture[int(box.cy), int(box.cx), :3] / 255
        assert np.allclose(drawn, colors[index], atol=0.01)
    hole = field.cell_box(17)
    assert np.allclose(picture[int(hole.cy), int(hole.cx), :3] / 255, theme.rgb(theme.BACKGROUND), atol=0.01)


def test_a_blend_ends_exactly_where_the_run_is(big):
    page_map = PageMap(3000, Box(0, 0, WIDTH, HEIGHT))
    seqs = (0, len(big) // 3, len(big) - 1)
    states = [big.state_at(seq) for seq in seqs]
    page_map.show(page_colors(states[0], 40))
    (blend,) = page_map.change(page_colors(states[1], 40), 1.0)
    blend.prepare()
    blend.apply(0.5)
    assert not np.array_equal(page_map.read(), expected(big, seqs[1]))
    blend.apply(1.0)
    assert np.allclose(page_map.read(), expected(big, seqs[1]))


class Paused(PoolAtScale):
    """The film with the stops of its time-lapses, which a rehearsal leaves out, and looks
    at the stage in the midst of them."""

    def construct(self):
        self.compared = 0
        super().construct()

    def play_section(self, section):
        self.rehearsing = True
        super().play_section(section)

    def play(self, *animations, **kwargs):
        if any(isinstance(animation, Replay) for animation in animations):
            for animation in animations:
                animation.begin()
            for progress in (0.21, 0.5, 0.83):
                for animation in animations:
                    animation.interpolate(progress)
                self.compare(self.stage.read())
        self.rehearsing = True
        super().play(*animations, **kwargs)
        self.rehearsing = False

    def compare(self, shown):
        """Everything on stage is as recorded at one of the lapse's stops."""
        stops = [
            seq
            for beat in self.section.beats
            if isinstance(beat, TimeLapse)
            for seq in (self.section.start, *beat.stops)
        ]
        assert len(stops) >= 3
        near = [
            seq for seq in stops if self.stage.parts["clock"].clock.time.text == clock_text(self.trace.state_at(seq).ns)
        ]
        assert any(not list(self.differences(shown, seq)) for seq in near)
        self.compared += 1

    def differences(self, shown, seq):
        yield from differences(shown, Witness.of(self.trace), seq)


def test_a_paused_time_lapse_shows_one_recorded_moment(big):
    assert rehearse(Paused, big).scene.compared >= 3


def test_pages_side_by_side_share_an_arrow():
    assert runs_of([7, 8, 9, 40, 12, 13], 10) == [(0, 3), (3, 1), (4, 2)]
    assert runs_of([9, 10], 10) == [(0, 1), (1, 1)]


def test_stops_of_a_lapse_are_ends_of_steps_within_it(big):
    series = history_of(big).series
    start, until = int(series.seq[3]), int(series.seq[-2])
    beat = lapse(series, start, until, 5.0)
    assert beat.until == until and 10 < len(beat.stops) <= 50
    assert set(beat.stops) <= set(series.seq.tolist())
    assert list(beat.stops) == sorted(set(beat.stops))
    assert start < beat.stops[0] and beat.stops[-1] < until


def test_firsts_are_what_they_say(tmp_path):
    """Before and after each the replayed state differs as its kind says."""
    for detail in ("full", "bulk"):
        trace = recorded(crowd(detail=detail), tmp_path / f"{detail}.jsonl")
        found = firsts(history_of(trace))
        kinds = {first.kind for first in found}
        assert {"first", "growth", "share", "preemption", "release"} <= kinds
        for first in found:
            before, after = trace.state_at(first.begin), trace.state_at(first.end)
            had, has = (s.tables.get(first.task, []) for s in (before, after))
            if first.kind in ("preemption", "release"):
                assert (tuple(had), has) == (first.pages, [])
            else:
                assert tuple(has[len(had) :]) == first.pages
            if first.kind == "first":
                assert not had
            elif first.kind == "growth":
                assert len(first.pages) == 1
            elif first.kind == "share":
                assert after.refs[first.pages[0]] > before.refs[first.pages[0]]


def test_the_peak_is_the_first_of_the_highest(big):
    series, chapters = history_of(big).series, PoolAtScaleChapters("PoolAtScale", big)
    most = series.in_use.max()
    assert big.state_at(chapters.peak).n_in_use == most
    assert (series.in_use[series.seq < chapters.peak] < most).all()


class Liar(Observer):
    """Paints one cell of the map before the checker reads it."""

    def animation_ended(self, scene, began, moved):
        if scene.section.key == "first":
            scene.stage.parts["map"].map.field.rgba[2999, :3] = theme.rgb(theme.WARNING)


def test_a_lie_on_the_map_is_found(big):
    assert check(PoolAtScale, big).mismatches == ()
    checker = Checker()
    rehearse(PoolAtScale, big, observers=(Liar(), checker))
    assert {str(m.difference.field) for m in checker.mismatches} == {"map[2999]"}
