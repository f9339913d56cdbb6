"""The picture of a trace: readable for every trace, and true to it."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from astrai_sim.tools.cli import main
from astrai_sim.tools.plot import palette
from astrai_sim.tools.plot.panels import PAGE_COLORS, page_codes, short_unit, unit_for
from astrai_sim.trace import Series, Trace, TraceError
from scenes import theme

pytest.importorskip("matplotlib", reason="the extra plot is not installed")
from astrai_sim.tools.plot.glance import draw  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = sorted((ROOT / "assets" / "traces").glob("*.jsonl.gz"))
SMALL = ("one_page", "crowded", "shared_prefix")


@pytest.fixture
def assert_readable(monkeypatch: pytest.MonkeyPatch):
    """Draws a figure and checks that no text is cut off or lies over another."""
    from matplotlib.text import Text

    drawn = []
    original = Text.draw

    def noting(text, renderer, *args, **kwargs):
        if text.get_visible() and text.get_text().strip():
            drawn.append((text.get_text(), text.get_window_extent(renderer)))
        return original(text, renderer, *args, **kwargs)

    def check(figure) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(Text, "draw", noting)
            figure.canvas.draw()
        width, height = figure.canvas.get_width_height()
        assert len(drawn) > 20
        for text, box in drawn:
            inside = box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height
            assert inside, f"{text!r} is cut off"
        for (first, one), (second, other) in combinations(drawn, 2):
            overlap = min(one.x1, other.x1) - max(one.x0, other.x0) > 1
            overlap &= min(one.y1, other.y1) - max(one.y0, other.y0) > 1
            assert not overlap, f"{first!r} lies over {second!r}"

    return check


@pytest.mark.parametrize("scenario", SMALL)
def test_small_traces_are_readable(record_scenario, assert_readable, scenario: str):
    assert_readable(draw(Trace.open(record_scenario(scenario))))


def test_long_titles_are_made_to_fit(record_scenario, assert_readable):
    trace = Trace.open(record_scenario("one_page"))
    scenario = replace(trace.header.scenario, title="One request among many others " * 8)
    trace.header = replace(trace.header, scenario=scenario)
    assert_readable(draw(trace))


@pytest.mark.slow
@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_traces_are_readable(assert_readable, path: Path):
    assert_readable(draw(Trace.open(path)))


@pytest.mark.parametrize("scenario", SMALL)
def test_the_map_shows_who_holds_each_page(record_scenario, scenario: str):
    trace = Trace.open(record_scenario(scenario))
    series = Series.of(trace)
    columns = 200
    image = PAGE_COLORS[page_codes(trace, series, columns)]
    assert image.shape == (trace.header.scenario.cache.n_pages, columns, 3)
    rng = np.random.default_rng(0)
    for column in [columns - 1, *rng.integers(columns, size=20).tolist()]:
        end = (column + 1) * series.end_ns[-1] / columns
        done = np.flatnonzero(series.end_ns <= end + 1e-3)
        state = trace.state_at(int(series.seq[done[-1]]) if len(done) else -1)
        for page, shown in enumerate(image[:, column].tolist()):
            owners = state.owners(page)
            names = list(state.tasks)
            if len(owners) > 1:
                expected = palette.SHARED
            elif owners:
                expected = palette.TASK_COLORS[names.index(owners[0][0])]
            else:
                cached = state.page_state(page) == "cached"
                expected = palette.CACHED if cached else palette.FREE
            assert tuple(shown) == tuple(bytes.fromhex(expected[1:]))


def test_of_a_large_pool_each_row_shows_one_of_several_pages(record_scenario):
    trace = Trace.open(record_scenario("shared_prefix"))
    series = Series.of(trace)
    whole = page_codes(trace, series, 50)
    np.testing.assert_array_equal(page_codes(trace, series, 50, rows=5), whole[::4])


def test_the_colours_are_those_of_the_films():
    assert palette.TASK_COLORS == theme.TASK_COLORS
    shared = ("BACKGROUND", "PANEL", "OUTLINE", "CACHED", "TEXT", "MUTED", "WARNING")
    assert {name: getattr(palette, name) for name in shared} == {name: getattr(theme, name) for name in shared}


@pytest.mark.parametrize(
    ("ns", "text"), [(900.0, "0.9 µs"), (1.5e6, "1,500 µs"), (2.3456e6, "2.35 ms"), (1.2e11, "2 min"), (7.2e12, "2 h")]
)
def test_times_read_well(ns: float, text: str):
    assert unit_for(ns).text(ns) == text


def test_marks_of_an_axis_are_in_seconds_at_most():
    assert [short_unit(ns).text(ns) for ns in (1e5, 1e6, 2e8, 1e9, 1e11)] == [
        "100 µs",
        "1 ms",
        "200 ms",
        "1 s",
        "100 s",
    ]


def test_the_command_writes_a_png(record_scenario, tmp_path: Path):
    out = tmp_path / "new" / "run.png"
    done = CliRunner().invoke(main, ["plot", str(record_scenario("one_page")), "-o", str(out)])
    assert done.exit_code == 0, done.output
    assert out.read_bytes().startswith(b"\x89PNG")


def test_what_cannot_be_drawn_is_said_in_one_line(record_scenario, tmp_path: Path):
    path = record_scenario("one_page")
    header = Trace.open(path).content.split(b"\n")[0]
    with pytest.raises(TraceError, match="no step was finished"):
        draw(Trace(path, header + b"\n"))
    out = tmp_path / "x.png"
    done = CliRunner().invoke(main, ["plot", str(tmp_path / "absent"), "-o", str(out)])
    assert done.exit_code == 1 and done.output.startswith("Error: ") and not out.exists()
