"""Charts draw what was recorded, up to where the run has got, and say so in figures."""

import numpy as np
import pytest

from astrai_sim.trace import Series, Trace
from scenes import theme
from scenes.check.labels import Writer
from scenes.draw.layout import Box
from scenes.film.checking import check
from scenes.film.rehearsal import rehearse
from scenes.film.scene import FilmScene
from scenes.lint.linter import lint
from scenes.lint.rules.colors import LEAST
from scenes.lint.rules.colors import differences as color_differences
from scenes.measures import written
from scenes.measures.forms import number_text, tick_text
from scenes.old.mobjects.axes import Scale, ticks
from scenes.old.mobjects.chart import ChartView, CurveLine
from scenes.story.beats import Advance, Chart, Curve, Hold, Reveal, Section, Storyboard
from scenes.story.curves import points, steps_done
from scenes.truth import Witness
from scenes.truth.charts import CURVES

BOX = Box(100, 140, 1000, 500)


def chart_of(trace: Trace) -> Chart:
    series = Series.of(trace)
    x = steps_done(series)
    n_pages = trace.header.scenario.cache.n_pages

    def curve(measure, values, color, first=0, **how):
        return Curve(measure, measure, color, points(series.seq, x, values, first), **how)

    used, reserved = series.kv_slots, series.reserved_slots
    return Chart(
        "slots",
        "Token slots",
        "steps",
        float(x[-1]),
        float(reserved.max()),
        (
            curve("used slots", used, theme.SERIES[0], fill=True),
            curve("wasted slots", reserved - used, theme.SERIES[1], fill=True, on="used slots"),
            curve("reserved slots", reserved, theme.SERIES[2]),
            curve("running requests", series.running, theme.MUTED, drawn=False),
            curve("free pages", series.free, theme.MUTED, n_pages, drawn=False),
        ),
        area=(0.0, 0.1, 0.6, 1.0),
    )


class ChartFilm(FilmScene):
    """A chart that is there from the start, and one that comes later; stops at step ends."""

    default_trace = "promo.jsonl.gz"
    summary = "A film for tests."

    @classmethod
    def tell(cls, trace) -> Storyboard:
        chart = chart_of(trace)
        ends = Series.of(trace).seq.tolist()
        half = ends[len(ends) // 2]
        first = Section(
            "one",
            "From the start",
            -1,
            (Advance(ends[0], "The first step.", 1.0), Advance(half, "Half of it.", 2.0)),
            ("chart",),
            (chart,),
        )
        second = Section(
            "two",
            "Later",
            half,
            (Hold(half, seconds=0.5), Reveal(half, parts=("chart",)), Advance(ends[-1], None, 2.0)),
            (),
            (chart,),
        )
        return Storyboard("ChartFilm", (first, second))


@pytest.fixture(scope="module", params=["two_requests", "crowded", "shared_prefix"])
def path(request, record_scenario):
    return record_scenario(request.param)


def test_shown_equals_recorded(path):
    report = check(ChartFilm, path)
    assert [str(mismatch) for mismatch in report.mismatches] == []
    assert report.beats == 5


def test_picture_keeps_the_rules(path):
    assert [str(finding) for finding in lint(ChartFilm, path)] == []


@pytest.fixture(scope="module")
def trace(two_requests):
    return Trace.open(two_requests)


def test_wrong_and_unknown_values_are_found(two_requests, trace):
    scene = rehearse(ChartFilm, two_requests, only={"one"}).scene
    until, writer = scene.section.beats[-1].until, Writer(Witness.of(trace))
    view = scene.stage.parts["chart"].views["slots"]
    assert set(view.legend) <= set(CURVES)
    for measure, entry in view.legend.items():
        assert writer.text(entry.value, until) == entry.value.text
        entry.value.set_text(written("curve.value", 10**6 + 1, "number", curve=measure))
        assert writer.text(entry.value, until) != entry.value.text
    entry.value.set_text(written("curve.value", 3, "number", curve="weather"))
    assert "nothing" in writer.text(entry.value, until)


def test_curves_end_where_the_run_has_got(trace):
    view = ChartView(chart_of(trace), BOX)
    series = Series.of(trace)
    for place in (0, len(series) // 2, len(series) - 1):
        view.show(int(series.seq[place]))
        scale = view.axes.scale
        x = float(scale.x(series.step[place] + 1))
        dot = view.lines["reserved slots"].dot
        assert dot.get_fill_opacity() == 1
        assert dot.box.cx == pytest.approx(x, abs=0.1)
        assert dot.box.cy == pytest.approx(float(scale.y(series.reserved_slots[place])), abs=0.1)


def test_stacked_areas_meet_without_overlap(trace):
    view = ChartView(chart_of(trace), BOX)
    view.show(int(Series.of(trace).seq[-1]))
    used, wasted = view.lines["used slots"], view.lines["wasted slots"]
    time = view.head
    lower = used._corners(time, used.heights)
    assert np.allclose(wasted._floor(time), lower)
    top = wasted._corners(time, wasted.heights)
    reserved = view.lines["reserved slots"]
    assert np.allclose(top, reserved._corners(time, reserved.heights))


def test_long_curves_are_thinned_to_the_pixels_and_keep_their_peaks():
    values = np.ones(50_000)
    values[31_234] = 900.0
    curve = Curve(
        "m", "m", theme.SERIES[0], tuple((i, float(i), float(v)) for i, v in enumerate(values)), stepped=False
    )
    line = CurveLine(curve, Scale(BOX, 50_000, 1000), None)
    assert len(line.kept) <= 4 * BOX.w
    assert 31_234 in line.kept
    line.set_head(50_000.0)
    top = float(line.scale.y(900.0))
    assert line.value_at(31_234.5) == 900.0
    assert np.isclose(line._corners(50_000.0, line.heights)[:, 1].min(), top)


def test_the_figure_is_that_of_the_head():
    points = ((-1, 0.0, 0), (5, 1.0, 40), (9, 2.0, 10))
    stepped, joined = (
        CurveLine(Curve("m", "m", theme.SERIES[0], points, stepped=how), Scale(BOX, 2, 50), None)
        for how in (True, False)
    )
    assert [stepped.value_at(t) for t in (0.0, 0.5, 1.0, 1.5, 2.0)] == [0, 40, 40, 10, 10]
    assert [joined.value_at(t) for t in (0.0, 0.5, 1.0, 1.5, 2.0)] == [0, 0, 40, 40, 10]
    late = CurveLine(Curve("m", "m", theme.SERIES[0], points[1:]), Scale(BOX, 2, 50), None)
    assert late.value_at(0.5) is None


def test_a_wait_climbs_as_it_lasts():
    waits = ((5, 1.0, 40.0), (9, 1.5, 500.0), (11, 3.0, 300.0))
    curve = Curve("m", "m", theme.SERIES[0], waits, rate=1000.0)
    line = CurveLine(curve, Scale(BOX, 3, 500), None)
    assert [line.value_at(t) for t in (1.0, 1.2, 1.5, 2.0, 3.0)] == [40.0, 500.0, 500.0, 300.0, 300.0]
    for time, height in ((1.2, 200.0), (1.5, 500.0), (2.0, 0.0), (2.9, 200.0), (3.0, 300.0)):
        x, y = line._corners(time, line.heights)[-1]
        assert x == pytest.approx(float(line.scale.x(time)))
        assert y == pytest.approx(float(line.scale.y(height)))
    xs = line._corners(3.0, line.heights)[:, 0]
    assert (np.diff(xs) >= 0).all()


def test_ticks_are_few_and_round():
    assert ticks(384, 4) == [0, 100, 200, 300]
    assert ticks(7, 5) == [0, 2, 4, 6]
    assert [tick_text(v) for v in ticks(1.3, 4)] == ["0", "0.5", "1"]
    assert tick_text(12_000) == "12,000"
    for top in (0.003, 1, 59, 60, 61, 999, 123_456):
        for most in (2, 3, 5):
            assert 2 <= len(ticks(top, most)) <= most + 1


def test_numbers_are_whole_or_to_three_figures():
    assert [number_text(v) for v in (0, 384, 12_288, 31.274, 0.5, 1234.5)] == [
        "0",
        "384",
        "12,288",
        "31.3",
        "0.5",
        "1,234",
    ]


def test_too_small_a_box_is_refused(trace):
    with pytest.raises(ValueError, match="does not fit"):
        ChartView(chart_of(trace), Box(100, 140, 1000, 200))


def test_series_colors_are_told_apart_by_colour_blind_viewers():
    colors = theme.SERIES
    for i, first in enumerate(colors):
        for second in colors[i + 1 :]:
            assert min(color_differences(first, second).values()) >= LEAST
