"""One picture becomes the next: what leaves goes, what flies lands, fronts pass, all texts swap in one frame."""

from itertools import combinations, pairwise

import numpy as np
import pytest

from scenes.draw import motion
from scenes.draw.atoms import Block, Cells, Line, Move, Text, grid_edges, rgba
from scenes.draw.canvas import Canvas, Change, Unseen
from scenes.draw.lapse import Lapse
from scenes.draw.layout import WIDE, Box

BLUE, DARK = "#37A5FB", "#202937"
PLACE = Box(200, 200, 400, 160)


def text(word, x=300, y=600, **look):
    return Text(text=word, at=(x, y), px=40, **{"color": "#FFFFFF", **look})


def box(x=200, **look):
    return Block(box=Box(x, 200, 100, 100), fill=BLUE, **look)


def cells(filled, n=16, order=True):
    fills = np.tile(rgba(DARK), (n, 1))
    fills[:filled] = rgba(BLUE)
    return Cells(edges=grid_edges(PLACE, n, 8, 2), fills=fills, order=np.arange(n) / n if order else None)


def shown(canvas):
    """Keys on the picture with what they show: a text its words and opacity, others their numbers."""
    found = {}
    for key, mobject in canvas.shown.items():
        if hasattr(mobject, "text"):
            found[key] = mobject.text, round(float(mobject.fill_rgbas[0, 3]), 3)
        elif hasattr(mobject, "rgba"):
            found[key] = mobject.rgba.copy()
        else:
            found[key] = mobject.points.copy()
    return found


class Movie:
    """A canvas with the picture `before` and its change to `after`, at any of its seconds."""

    def __init__(self, before, after, moves=(), **options):
        self.canvas = Canvas(WIDE)
        self.canvas.show(before)
        self.change = Change(self.canvas, after, moves, **options)
        self.change.begin()

    def at(self, seconds):
        self.change.interpolate(min(1.0, seconds / self.change.run_time))
        return shown(self.canvas)

    def end(self):
        self.change.finish()
        self.change.clean_up_from_scene(None)
        return self.canvas

    @property
    def seconds(self):
        return self.change.run_time


PICTURES = [
    {("a",): box(), ("t",): text("one"), ("c",): cells(4)},
    {("a",): box(900), ("t",): text("two"), ("c",): cells(12), ("b",): box(1200)},
    {("b",): box(1200, dashed=True), ("t",): text("two", face="mono"), ("c",): cells(2, n=8)},
    {("l",): Line(points=np.array([(100.0, 100.0), (300.0, 300.0)]), color=BLUE)},
    {},
]


@pytest.mark.parametrize("seconds", [None, 0.2])
@pytest.mark.parametrize("same", [False, True])
@pytest.mark.parametrize("first", range(len(PICTURES)))
@pytest.mark.parametrize("second", range(len(PICTURES)))
def test_the_last_picture_is_the_one_that_was_wanted(first, second, same, seconds):
    movie = Movie(PICTURES[first], PICTURES[second], same=same, seconds=seconds)
    for share in (0.1, 0.5, 0.9):
        movie.at(share * movie.seconds)
    wanted = Canvas(WIDE)
    wanted.show(PICTURES[second])
    canvas = movie.end()
    assert list(canvas.shown) == list(PICTURES[second]) and canvas.atoms == PICTURES[second]
    assert len(canvas.submobjects) == len(PICTURES[second])
    for key, mobject in canvas.shown.items():
        assert np.allclose(mobject.points, wanted.shown[key].points), key
        for colors in ("fill_rgbas", "stroke_rgbas", "rgba", "lines"):
            if hasattr(wanted.shown[key], colors):
                assert np.allclose(getattr(mobject, colors), getattr(wanted.shown[key], colors)), (key, colors)


def test_all_numbers_swap_in_one_frame_and_none_is_between():
    words = {("n", i): text(str(i), y=100 * i) for i in range(1, 6)}
    after = {("n", i): text(str(i * 10), y=100 * i) for i in range(1, 6)} | {("a",): box(900)}
    movie = Movie(words | {("a",): box()}, after)
    seen = []
    for seconds in np.linspace(0, movie.seconds, 120):
        now = movie.at(seconds)
        seen.append(tuple(now[key][0] for key in words))
    assert set(seen) == {("1", "2", "3", "4", "5"), ("10", "20", "30", "40", "50")}
    swapped = seen.index(("10", "20", "30", "40", "50")) / 119 * movie.seconds
    assert swapped == pytest.approx(movie.change.flip, abs=movie.seconds / 100)


def test_counts_come_after_what_they_count():
    movie = Movie({("t",): text("4"), ("c",): cells(4)}, {("t",): text("12"), ("c",): cells(12)})
    for seconds in np.linspace(0, movie.seconds, 60):
        now = movie.at(seconds)
        if now["t",][0] == "12":
            assert np.allclose(now["c",], cells(12).fills)


def test_a_number_glows_when_it_swaps_and_is_itself_in_the_end():
    movie = Movie({("t",): text("1", color=BLUE), ("a",): box()}, {("t",): text("2", color=BLUE), ("a",): box(900)})
    mobject = movie.canvas.shown["t",]
    movie.at(movie.change.flip)
    assert np.allclose(mobject.fill_rgbas[0, :3], 1.0, atol=0.1)
    movie.at(movie.seconds)
    assert np.allclose(mobject.fill_rgbas[0], rgba(BLUE), atol=1e-6)


def test_a_front_passes_over_cells_in_their_order():
    movie = Movie({("c",): cells(0)}, {("c",): cells(16)})
    assert movie.change.plan.swept == motion.sweep(16)
    for seconds in np.linspace(0.1, 0.9, 9) * movie.change.flip:
        share = (movie.at(seconds)["c",][:, 0] - rgba(DARK)[0]) / (rgba(BLUE)[0] - rgba(DARK)[0])
        assert np.all(np.diff(share) <= 1e-9) and share[0] > share[-1]


@pytest.mark.parametrize("few", [cells(6), cells(16, order=False)])
def test_single_cells_and_those_without_order_change_together(few):
    movie = Movie({("c",): cells(4, order=few.order is not None)}, {("c",): few})
    colors = movie.at(movie.change.flip / 2)["c",]
    changed = np.any(few.fills != cells(4).fills, axis=1)
    assert len(np.unique(colors[changed], axis=0)) == 1


def test_what_leaves_is_gone_soon_and_what_comes_is_there_at_the_end():
    movie = Movie({("a",): box(), ("k",): box(600)}, {("b",): box(900), ("k",): box(700)})
    old = movie.change.old[0]
    movie.at(motion.LEAVE + 0.01)
    assert old.fill_rgbas[0, 3] == 0
    movie.at(movie.seconds)
    assert movie.canvas.shown["b",].fill_rgbas[0, 3] == pytest.approx(1)


@pytest.mark.parametrize("same", [False, True])
def test_an_amount_moves_just_before_its_number_does(same):
    before = {("bar",): box(late=True), ("n",): text("1", late=True), ("c",): cells(0, n=64)}
    after = {("bar",): box(500, late=True), ("n",): text("2", 700, late=True), ("c",): cells(64, n=64)}
    movie = Movie(before, after, same=same, seconds=4.0)
    flip = movie.change.flip
    assert flip > 3 * motion.COUNTED
    for seconds, share in ((0.0, 0), (flip - motion.COUNTED - 0.02, 0), (flip, 1)):
        now = movie.at(seconds)
        waits = share == 0 and (seconds == 0 or not same)
        assert (movie.canvas.shown["bar",].box.x == 200) == waits and now["n",][0] == ("2" if share else "1")


@pytest.mark.parametrize("same", [False, True])
def test_one_frame_becomes_another_with_the_numbers(same):
    before = {("p", 1, "held"): box(), ("p", 1, "n"): text("1"), ("c",): cells(4)}
    after = {("p", 1, "kept"): box(), ("p", 1, "n"): text("0"), ("c",): cells(12)}
    movie = Movie(before, after, same=same)
    held = movie.change.old[0]
    now = movie.at(0.9 * movie.change.flip)
    assert now["p", 1, "n"][0] == "1" and held.fill_rgbas[0, 3] == (0 if same else pytest.approx(1))
    assert movie.canvas.shown["p", 1, "kept"].fill_rgbas[0, 3] == (pytest.approx(1, abs=0.01) if same else 0)
    now = movie.at(movie.seconds)
    assert now["p", 1, "n"][0] == "0" and held.fill_rgbas[0, 3] == 0
    assert movie.canvas.shown["p", 1, "kept"].fill_rgbas[0, 3] == pytest.approx(1)


def test_what_flies_through_others_comes_to_each_of_them_and_goes_straight_between():
    movie = Movie({}, {}, [Move(box(100), box(1500), via=(box(800), Block(Box(800, 600, 300, 100), fill=BLUE)))])
    flyer, seen = movie.change.flyers[0], []
    for seconds in np.linspace(0, movie.seconds, 400):
        movie.at(seconds)
        seen.append(flyer.box)
    assert any(abs(one.x - 800) + abs(one.y - 200) < 20 for one in seen)
    assert any(abs(one.x - 800) + abs(one.y - 600) + abs(one.w - 300) < 20 for one in seen)
    assert all(one.y == pytest.approx(200) for one in seen if one.x < 799)
    assert seen[-1].x == pytest.approx(1500)


def test_what_flies_is_in_neither_picture_and_lands_before_numbers_swap():
    move = Move(box(100), box(1500), delay=0.1)
    movie = Movie({("t",): text("1")}, {("t",): text("2")}, [move])
    flyer = movie.change.flyers[0]
    movie.at(0.05)
    assert flyer.box.x == pytest.approx(100)
    middle = 0.1 + motion.flight(1400, WIDE.width) / 2
    assert movie.at(middle)["t",][0] == "1" and 700 < flyer.box.x < 900 and flyer.box.y != pytest.approx(200)
    assert movie.change.flip >= 0.1 + motion.flight(1400, WIDE.width) - 1e-9
    assert flyer not in movie.end().submobjects


class TestTextsThatWouldCross:
    PASSES = {("a",): text("aaaa", 200), ("b",): text("bbbb", 600)}

    @pytest.mark.parametrize("other", ["stays", "leaves", "comes"])
    def test_they_never_overlap(self, other):
        before, after = dict(self.PASSES), {("a",): text("aaaa", 1100), ("b",): text("bbbb", 600)}
        if other == "leaves":
            del after["b",]
        if other == "comes":
            del before["b",]
        movie = Movie(before, after, same=other == "comes", shift=1.0)
        visible = [("a",)] + ([] if other == "leaves" else [("b",)])
        for seconds in np.linspace(0, movie.seconds, 60):
            now = movie.at(seconds)
            inks = [movie.canvas.shown[key].ink() for key in visible if now[key][1] > 0.02]
            inks += [m.ink() for m in movie.change.old if m.fill_rgbas[0, 3] > 0.02]
            if len(inks) == 2:
                assert inks[0][2] <= inks[1][0] + 0.5 or inks[1][2] <= inks[0][0] + 0.5, seconds

    @pytest.mark.parametrize("moves", [False, True])
    def test_what_comes_waits_until_its_place_is_free(self, moves):
        """For what leaves there, and for what fades there to move away."""
        before = {("a",): text("aaaa"), ("b",): text("b", 700), ("c",): text("cc", 500)}
        after = {("d",): text("dddd"), ("b",): text("b", 700), ("c",): text("cc", 900 if moves else 500)}
        if moves:
            del before["a",]
            after["d",] = text("dddd", 480)
        movie = Movie(before, after, same=True, seconds=0.35)
        for seconds in np.linspace(0, movie.seconds, 60):
            movie.at(seconds)
            seen = [m for m in (*movie.canvas.shown.values(), *movie.change.old) if m.fill_rgbas[0, 3] > 0.02]
            edges = sorted((m.ink()[0], m.ink()[2]) for m in seen)
            assert all(a[1] <= b[0] for a, b in pairwise(edges)), seconds

    def test_one_that_crosses_nobody_stays_visible(self):
        movie = Movie({("a",): text("aaaa", 200)}, {("a",): text("aaaa", 1100)})
        assert all(movie.at(seconds)["a",][1] == 1 for seconds in np.linspace(0, movie.seconds, 20))


class TestPagesThatWouldCross:
    """A pool of two rows becomes one row: what goes farthest is not seen on its way."""

    BEFORE = {
        ("pool", p, "ground"): Block(box=Box(200 + p % 2 * 500, 200 + p // 2 * 300, 480, 280), fill=DARK)
        for p in range(4)
    }
    AFTER = {("pool", p, "ground"): Block(box=Box(200 + p * 250, 200, 230, 140), fill=DARK) for p in range(4)}

    @staticmethod
    def seen(movie):
        """Boxes of the pages that are seen."""
        shown = [movie.canvas.shown["pool", p, "ground"] for p in range(4)]
        return [mobject.box for mobject in shown if mobject.fill_rgbas[0, 3] > 0.02]

    @pytest.mark.parametrize("same", [False, True])
    def test_they_never_lie_on_each_other(self, same):
        movie, some = Movie(self.BEFORE, self.AFTER, same=same, shift=1.0), 4
        for seconds in np.linspace(0, movie.seconds, 60):
            movie.at(seconds)
            boxes = self.seen(movie)
            some = min(some, len(boxes))
            for a, b in combinations(boxes, 2):
                apart = a.right <= b.x + 0.5 or b.right <= a.x + 0.5 or a.bottom <= b.y + 0.5 or b.bottom <= a.y + 0.5
                assert apart, seconds
        assert 0 < some < 4 == len(self.seen(movie))

    def test_what_is_on_them_and_what_comes_waits_with_them(self):
        before, after = dict(self.BEFORE), dict(self.AFTER)
        for pages, picture in ((before, self.BEFORE), (after, self.AFTER)):
            for (_, p, _), atom in picture.items():
                pages["pool", p, "n"] = text(str(p), atom.box.cx, atom.box.cy)
        after["pool", 4, "ground"] = Block(box=Box(1300, 200, 230, 140), fill=DARK)
        movie = Movie(before, after, same=True, shift=1.0)
        now = movie.at(0.6 * movie.seconds)
        hidden = [p for p in range(4) if movie.canvas.shown["pool", p, "ground"].fill_rgbas[0, 3] == 0]
        assert hidden == [p for p in range(4) if now["pool", p, "n"][1] == 0] != []
        assert movie.canvas.shown["pool", 4, "ground"].fill_rgbas[0, 3] == 0
        movie.at(movie.seconds)
        assert all(movie.canvas.shown["pool", p, "ground"].fill_rgbas[0, 3] == 1 for p in range(5))

    def test_those_that_keep_their_rows_are_seen_all_the_way(self):
        before = {key: self.BEFORE[key] for key in list(self.BEFORE)[:2]}
        after = {key: self.AFTER[key] for key in before}
        movie = Movie(before, after, shift=1.0)
        for seconds in np.linspace(0, movie.seconds, 20):
            movie.at(seconds)
            assert all(movie.canvas.shown[key].fill_rgbas[0, 3] == 1 for key in before)


def test_words_that_come_at_once_wait_for_the_row_that_they_stand_in():
    row = {("talk", "A", "row"): box(), ("talk", "B", "row"): box(600)}
    words = {("talk", "A", "says"): text("aa", 900, early=True), ("talk", "B", "says"): text("bb", 1100, early=True)}
    movie = Movie(row, {**row, ("talk", "A", "row"): box(900), **words}, same=True, shift=1.0)
    now = movie.at(0.8 * movie.change.flip)
    assert now["talk", "A", "says"][1] == 0 and now["talk", "B", "says"][1] == 1
    assert movie.at(movie.seconds)["talk", "A", "says"][1] == 1


class TestLengths:
    def test_a_stretched_change_moves_longer_and_glows_as_long(self):
        pictures = {("t",): text("1"), ("a",): box()}, {("t",): text("2"), ("a",): box(900)}
        natural, long = Movie(*pictures), Movie(*pictures, seconds=3.0)
        assert long.seconds == pytest.approx(3.0)
        assert long.seconds - long.change.flip == pytest.approx(natural.seconds - natural.change.flip)

    def test_equal_pictures_are_still(self):
        assert Movie(PICTURES[0], PICTURES[0]).change.still
        assert not Movie(PICTURES[0], PICTURES[1]).change.still


def test_a_lapse_shows_each_picture_whole_for_its_share():
    canvas = Canvas(WIDE)
    canvas.show(PICTURES[0])
    pictures = [{("t",): text(str(i))} for i in range(3)]
    lapse = Lapse(canvas, pictures, 1.0, (0.5, 0.75, 1.0))
    lapse.begin()
    seen = []
    for share in (0.1, 0.4, 0.6, 0.8, 1.0):
        lapse.interpolate(share)
        seen.append(shown(canvas)["t",][0])
    assert seen == ["0", "0", "1", "2", "2"]


def test_a_picture_that_nobody_sees_becomes_another_at_once_and_letters_without_a_glyph_are_still_refused():
    canvas = Unseen(WIDE)
    canvas.show({("a",): box(), ("b",): text("page 3")})
    after = {("a",): box(400), ("c",): text("page 4")}
    Change(canvas, after).skip()
    assert canvas.atoms == after and not canvas.shown and not canvas.submobjects
    with pytest.raises(ValueError, match="no glyph"):
        Change(canvas, {("c",): text("\u4e00")}).skip()
