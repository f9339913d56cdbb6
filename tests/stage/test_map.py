"""The map: every page in its cell, in the right colour, from one page to all; the crowd and the clock beside it."""

import numpy as np
import pytest
from manim import tempconfig

from scenes import theme
from scenes.check.compare import differences
from scenes.draw import motion
from scenes.draw.atoms import Grid, grid_edges
from scenes.draw.camera import FilmCamera
from scenes.draw.canvas import Canvas, Change
from scenes.draw.drawn import DrawnGrid
from scenes.draw.lapse import Lapse
from scenes.draw.layout import FRAMES, WIDE, Box
from scenes.film.quality import QUIET
from scenes.film.rehearsal import check, rehearse
from scenes.film.scene import Observer
from scenes.parts.crowd import Crowd
from scenes.parts.elapsed import Elapsed
from scenes.parts.first_tokens import FirstTokens
from scenes.parts.map import LEAST, Map, least_height, shape
from scenes.parts.part import View
from scenes.pool_at_scale import PoolAtScale, PoolAtScaleTelling
from scenes.stage.stage import Stops
from scenes.story.history import history_of
from scenes.story.history.turns import turns_of
from scenes.theme import DARK
from scenes.truth import SHOWN, Witness
from tests.film.test_any_trace import load
from tests.trace.recording import crowd, recorded

BOX = Box(96, 112, 1728, 594)


@pytest.fixture(scope="module")
def big(tmp_path_factory):
    """Forty requests on 3,000 pages."""
    return recorded(load(3000, 40), tmp_path_factory.mktemp("big") / "big.jsonl")


@pytest.fixture(scope="module")
def tight(tmp_path_factory):
    """Sixty requests on 300 pages: some must give way."""
    return recorded(load(300, 60), tmp_path_factory.mktemp("tight") / "tight.jsonl")


def read_back(part, trace, seq, box=BOX):
    """What a part reads back of itself, drawn for the moment after event `seq`."""
    view = View(trace, trace.state_at(int(seq)))
    canvas = Canvas(WIDE)
    canvas.show(dict(part.pictured(view, box)))
    return {"theme": DARK.name, **part.read(canvas.shown)}


def untrue(part, trace, seq):
    """Fields of a part, drawn for a moment, that the vouchers contradict."""
    return [str(d) for d in differences(read_back(part, trace, seq), Witness.of(trace), int(seq))]


def moments(trace, count=7):
    return np.linspace(0, len(trace) - 1, count).astype(int)


# places


@pytest.mark.parametrize("n_pages", [34, 64, 300, 4999, 5000, 16384, 65536, 100_000, 1_000_003])
@pytest.mark.parametrize("frame", FRAMES.values(), ids=lambda frame: frame.name)
def test_every_page_has_a_cell_that_can_be_seen(n_pages, frame):
    group, columns, rows = shape(n_pages, frame)
    cells = -(-n_pages // group)
    assert columns * rows >= cells > columns * (rows - 1)
    w, h = frame.stage.w / columns, least_height(frame) / rows
    assert min(w, h) >= LEAST and 0.4 < w / h < 2.5
    assert group == 1 or frame.stage.w * least_height(frame) / (2 * cells) < (2 * LEAST) ** 2


def test_a_pool_that_can_be_a_rectangle_is_one():
    assert shape(16384, WIDE) == (1, 256, 64)
    assert shape(300, WIDE)[1:] == (30, 10)


def test_the_map_has_its_share_of_the_frame(big):
    view = View(big, big.state_at(-1))
    best = Map().room(view, BOX.w).best
    assert best >= 0.55 * WIDE.height
    assert best + sum(part.room(view, BOX.w).best for part in (Crowd(), Elapsed())) + 48 <= WIDE.stage.h + 42


# colours, worked out twice: by the part and by its voucher, each in its own way


@pytest.mark.parametrize("part", [Map(), Map(flash=0.3), Map(named=("r3",)), Map(close=(1, 2)), Map().unlit()])
def test_colours_are_those_of_the_replayed_state(big, part):
    assert [untrue(part, big, seq) for seq in moments(big)] == [[]] * 7


def test_colours_of_cells_of_many_pages(tmp_path):
    trace = recorded(load(200_000, 30), tmp_path / "huge.jsonl")
    assert shape(200_000, WIDE)[0] > 1
    assert untrue(Map(), trace, len(trace) // 2) == []


def test_who_gives_way_is_white_then_red_and_then_somebody_elses(tight):
    loss = next(loss for loss in turns_of(history_of(tight)).losses if loss.stored)
    part = Map(acting=(loss.task,))
    white, red = theme.rgb(theme.DARK.accent), theme.rgb(theme.DARK.alarm)
    before, after = (read_back(part, tight, seq)["map.cells"] for seq in (loss.seq - 1, loss.seq + 1))
    assert np.allclose(before[loss.pages], white) and np.allclose(after[loss.pages], red)
    for seq in range(loss.seq - 1, min(len(tight), loss.seq + 40)):
        assert untrue(part, tight, seq) == []
    flashed = read_back(Map(flash=1.0), tight, loss.seq + 1)["map.cells"]
    assert np.allclose(flashed[loss.pages], red)


def test_what_is_lost_is_what_the_request_held(tight):
    turns = turns_of(history_of(tight))
    assert len(turns.losses) > 3
    for loss in turns.losses:
        state = tight.state_at(loss.seq - 1)
        assert loss.pages.tolist() == state.tables[loss.task]
        running = [task for task in state.tables if state.tasks[task].status in ("prefilling", "running")]
        assert max(running, key=lambda task: turns.since(task, loss.seq)) == loss.task


@pytest.mark.parametrize("part", [Crowd(), Crowd(tall=True), Elapsed(), FirstTokens()], ids=lambda part: part.key)
def test_bars_marks_and_dots_are_those_of_the_run(tight, part):
    box = Box(96, 112, 1728, 300)
    for seq in moments(tight, 25):
        found = differences(read_back(part, tight, seq, box), Witness.of(tight), int(seq))
        assert [str(difference) for difference in found] == []


# drawing


def drawn(mobject):
    """A picture of one mobject, [1080, 1920, 3] from 0 to 1."""
    with tempconfig(QUIET | {"pixel_width": 1920, "pixel_height": 1080, "frame_rate": 60}):
        camera = FilmCamera()
        camera.capture_mobjects([mobject])
        return camera.pixel_array[:, :, :3] / 255


def test_cells_are_drawn_where_they_are():
    atom = grid(Box(100, 100, 800, 400), n=1000, columns=40, gap=2.0)
    atom.fills[17, 3] = 0.0
    picture = drawn(DrawnGrid(atom, WIDE))
    for index in (0, 16, 39, 40, 555, 999):
        box = cell(atom, index)
        assert np.allclose(picture[int(box.cy), int(box.cx)], atom.fills[index, :3], atol=0.01)
    hole = cell(atom, 17)
    assert np.allclose(picture[int(hole.cy), int(hole.cx)], theme.rgb(theme.BACKGROUND), atol=0.01)


def grid(box, window=None, n=16384, columns=256, **look):
    fills = np.random.default_rng(1).random((n, 4))
    fills[:, 3] = 1.0
    return Grid(box=box, columns=columns, fills=fills, window=window, **look)


SLOW = pytest.mark.slow


def cell(atom, index):
    """The box of one cell of a grid."""
    left, top, right, bottom = grid_edges(atom.box, len(atom.fills), atom.columns, atom.gap)[index]
    return Box(left, top, right - left, bottom - top)


@pytest.mark.parametrize("scale", [pytest.param(1.0, marks=SLOW), 3.7, pytest.param(133.0, marks=SLOW)])
def test_a_grid_larger_than_the_frame_is_drawn_only_where_it_is_seen(scale):
    box = Box(BOX.x - 400 * (scale - 1), BOX.y - 100 * (scale - 1), BOX.w * scale, BOX.h * scale)
    atom = grid(box, BOX)
    field, ground = DrawnGrid(atom, WIDE), theme.rgb(theme.BACKGROUND)
    picture = drawn(field)
    assert np.allclose(picture[: int(BOX.y) - 1], ground, atol=0.01)
    assert np.allclose(picture[int(BOX.bottom) + 1 :], ground, atol=0.01)
    seen = [i for i in range(len(atom.fills)) if cell(atom, i).within(BOX).w * cell(atom, i).within(BOX).h > 9]
    for index in seen[:: max(1, len(seen) // 50)]:
        middle = cell(atom, index).within(BOX)
        assert np.allclose(picture[int(middle.cy), int(middle.cx)], atom.fills[index, :3], atol=0.02)
        assert field.cells_at(np.array([[middle.cx, middle.cy]]))[0] == index
    assert field.cells_at(np.array([[BOX.cx, BOX.y - 5]]))[0] == -1


def test_runs_have_no_seam_within():
    atom = grid(Box(100, 100, 1280, 320), n=64, columns=16, gap=10.0, seams=np.arange(64) % 2.0)
    picture = drawn(DrawnGrid(atom, WIDE))
    closed, open_ = cell(atom, 0), cell(atom, 1)
    assert np.allclose(picture[int(closed.cy), int(closed.right + 5)], atom.fills[0, :3], atol=0.02)
    assert np.allclose(picture[int(open_.cy), int(open_.right + 5)], theme.rgb(theme.BACKGROUND), atol=0.01)


def test_a_far_camera_move_changes_sizes_by_the_same_factor_in_equal_times():
    near, far = grid(Box(0, 0, 1728 * 100, 594 * 100), BOX), grid(BOX, BOX)
    canvas = Canvas(WIDE)
    canvas.show({("map", "cells"): near})
    change = Change(canvas, {("map", "cells"): far})
    assert change.seconds == pytest.approx(motion.push(100), rel=0.01)
    change.begin()
    widths = []
    for share in np.linspace(0, 1, 101):
        change.interpolate(share)
        widths.append(canvas.shown["map", "cells"].box.w)
    eased = np.array([motion.in_out(share) for share in np.linspace(0, 1, 101)])
    assert np.allclose(np.log(np.array(widths) / 1728), np.log(100) * (1 - eased), atol=1e-6)


# the film


def test_a_time_lapse_makes_only_the_pictures_that_it_shows():
    made = []
    stops = Stops([3, 5, 7, 9], lambda seq: made.append(seq) or {}, {})
    lapse = Lapse(Canvas(WIDE), stops, 1.0, np.linspace(0.2, 1.0, 5))
    for share in (0.3, 0.35, 0.39, 1.0):
        lapse.apply(share)
    assert made == [5] and len(stops) == 5


class Speeds(Observer):
    """Notes the clocks of film and run at moments of time-lapses, and what the picture says of them."""

    def __init__(self):
        self.seen = []

    def moment(self, scene, time):
        if any(isinstance(animation, Lapse) for animation in scene.animations):
            said = scene.stage.canvas.atoms.get(("elapsed", "rate"))
            now = scene.stage.canvas.atoms.get(("elapsed", "time"))
            if said is not None:
                self.seen.append((time, said.text.measures[0].value, now.text.measures[0].value / 1e9))


@pytest.mark.parametrize("trace", ["tight", "big"])
def test_time_goes_by_as_fast_as_it_says(trace, request):
    trace, speeds = request.getfixturevalue(trace), Speeds()
    rehearse(PoolAtScale, trace, observers=(speeds,), moments=lambda a, b: np.linspace(a, b, 9)[1:-1])
    telling = PoolAtScaleTelling("PoolAtScale", trace)
    assert speeds.seen
    for rate in {rate for _, rate, _ in speeds.seen}:
        assert rate == pytest.approx(telling.rate, rel=0.02) or rate == pytest.approx(telling.fast, rel=0.02)
    longest = history_of(trace).series.duration_ns.max() / 1e9
    for (then, rate, began), (now, _, ended) in zip(speeds.seen, speeds.seen[1:], strict=False):
        if now - then < 0.5:
            assert abs(ended - began - rate * (now - then)) <= 2 * longest + 1e-6


@pytest.mark.parametrize("detail", ["full", "bulk"])
def test_the_first_pages_are_what_they_say(tmp_path, detail):
    """Before them the replayed state has none, after them those."""
    trace = recorded(crowd(detail=detail), tmp_path / "run.jsonl")
    first = history_of(trace).pages.first()
    before, after = trace.state_at(first.begin), trace.state_at(first.end)
    assert not any(before.tables.values()) and tuple(after.tables[first.task]) == first.pages


def test_the_peak_is_the_first_of_the_highest(big):
    series, telling = history_of(big).series, PoolAtScaleTelling("PoolAtScale", big)
    most = series.in_use.max()
    assert big.state_at(telling.peak).n_in_use == most
    assert (series.in_use[series.seq < telling.peak] < most).all()


@pytest.mark.parametrize("key", [("map", "cells"), ("crowd", "running", "bars"), ("elapsed", "done")])
def test_a_lie_is_found(tight, key, monkeypatch):
    assert check(PoolAtScale, tight).mismatches == ()
    show = Canvas.show

    def lie(self, picture):
        show(self, picture)
        if key in self.shown:
            atom = self.atoms[key]
            vector = atom.vector()
            places = {"cells": slice(9 + 4 * 17, 9 + 4 * 17 + 3), "bars": 1, "done": 2}
            vector[places[key[-1]]] += 0.37 if key[-1] == "cells" else 40.0
            self.shown[key].put(vector)

    monkeypatch.setattr(Canvas, "show", lie)
    fields = {str(m.difference.field) for m in check(PoolAtScale, tight).mismatches}
    assert any(
        name.startswith({"cells": "map.cells", "bars": "crowd.bars", "done": "clock.share"}[key[-1]]) for name in fields
    )


def test_nobody_says_what_the_voucher_does_not_know():
    assert {"map.cells", "map.told", "map.slots", "crowd.bars", "clock.share", "clock.marks", "waits"} <= SHOWN.keys()
