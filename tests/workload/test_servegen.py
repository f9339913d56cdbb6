"""ServeGen's clients: what they say of themselves, and the requests that are drawn from it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from astrai_sim.tools.cli import main
from astrai_sim.trace import Trace
from astrai_sim.workload import Selection, Workload, WorkloadError, draw, read_workload
from tests.workload.test_options import SCENARIO

STEADY = "0,2,1,Gamma,1.0,0.5\n600,0,0,,0,0\n1200,1,1,Gamma,1.0,1.0\n"
BURSTY = "0,1,8,Weibull,0.3,0.1\n600,1,8,Gamma,0.05,20\n1200,0.001,1,Gamma,1,1\n"
SHORT = {"input_tokens": "{10: 0.25, 20: 0.5, 30: 0.25}", "output_tokens": "{1: 0.5, 2: 0.5}"}
LONG = {"input_tokens": "{1000: 1.0}", "output_tokens": "{5: 0.0, 7: 1.0}", "reason_ratio": "{0.0: 0.5, 1.0: 0.5}"}
EMPTY = {"input_tokens": "{}", "output_tokens": "{}"}


def client(folder: Path, number: int, trace: str, dataset: object) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"chunk-{number}-trace.csv").write_text(trace)
    (folder / f"chunk-{number}-dataset.json").write_text(json.dumps(dataset, indent=2))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    client(tmp_path / "clients", 0, STEADY, {"0": SHORT, "600": EMPTY, "1200": LONG})
    client(tmp_path / "clients", 10, BURSTY, {"0": SHORT})
    return tmp_path / "clients"


def read(folder: Path, window: tuple[float, float] | None = None, seed: int = 0, **more: object) -> Workload:
    return read_workload(folder, None, Selection(window=window, **more), seed)


def test_each_client_asks_as_often_as_its_rate_says_in_each_window(folder):
    found = read(folder)
    assert (found.kind, found.failed, found.too_long) == ("servegen", 0, 0)
    times = np.array([request.arrival_s for request in found.requests])
    assert (np.diff(times) >= 0).all() and len(times) == found.rows
    counts = np.histogram(times, [0, 600, 1200, 1800])[0]
    assert counts[:2].tolist() == [1800, 600] and counts[2] in (600, 601)


def test_gaps_are_as_bursty_as_the_client(folder):
    """Coefficients of variation: 1 / sqrt(shape) of Gamma, 5.4 of Weibull with 0.3; sampled, so within a third."""
    (folder / "chunk-0-trace.csv").unlink()
    (folder / "chunk-0-dataset.json").unlink()

    def variation(window: tuple[float, float]) -> float:
        gaps = np.diff([request.arrival_s for request in read(folder, window).requests])
        return gaps.std() / gaps.mean()

    assert variation((0, 600)) == pytest.approx(5.4, rel=1 / 3)
    assert variation((600, 1200)) == pytest.approx(0.05**-0.5, rel=1 / 3)
    client(folder, 10, STEADY, {"0": SHORT})
    assert variation((0, 600)) == pytest.approx(1.0, rel=0.1)


def test_lengths_are_those_of_the_histograms_that_hold_then(folder):
    (folder / "chunk-10-trace.csv").unlink()
    early, late = read(folder, (0, 600)).requests, read(folder, (1200, 1800)).requests
    prompts = np.array([request.prompt_len for request in early])
    shares = {n: float((prompts == n).mean()) for n in set(prompts.tolist())}
    assert shares == pytest.approx({10: 0.25, 20: 0.5, 30: 0.25}, abs=0.05)
    answers = np.array([request.output_len for request in early])
    assert set(answers) == {1, 2} and answers.mean() == pytest.approx(1.5, abs=0.05)
    assert abs(np.corrcoef(prompts, answers)[0, 1]) < 0.1
    assert {(request.prompt_len, request.output_len) for request in late} == {(1000, 7)}


def test_histograms_without_lengths_leave_those_before_in_force(folder):
    client(folder, 0, STEADY.replace("600,0,0,,0,0", "600,1,1,Gamma,1,1"), {"0": SHORT, "600": EMPTY, "1200": LONG})
    middle = read(folder, (600, 1200)).requests
    assert len(middle) == 1200 and {request.prompt_len for request in middle} <= {10, 20, 30}


def test_the_seed_decides_and_nothing_else(folder, tmp_path):
    found = read(folder, (0, 1200))
    assert read(folder, (0, 1200)).requests == found.requests
    assert read(folder, (0, 1200), seed=1).requests != found.requests
    inner = read(folder, (300, 900)).requests
    same = [request for request in found.requests if 300 <= request.arrival_s < 900]
    assert [request.prompt_len for request in inner] == [request.prompt_len for request in same]
    assert np.allclose([request.arrival_s + 300 for request in inner], [request.arrival_s for request in same])
    client(folder, 11, STEADY, {"0": LONG})
    more = [request for request in read(folder, (0, 1200)).requests if request.prompt_len < 1000]
    assert more == list(found.requests)


DRAWN = [
    *((0.000508, 20, 1), (141.634265, 20, 1), (279.292365, 20, 2)),
    *((429.94668, 20, 2), (549.800815, 20, 2), (867.768104, 10, 2)),
]
"""Every 400th request of both clients, from seed 0."""


def test_what_is_drawn_stays_as_it_is(folder):
    """NumPy keeps the stream of its RandomState: a trace of another day is made again."""
    every = read(folder, (0, 1200)).requests[::400]
    assert [(request.arrival_s, request.prompt_len, request.output_len) for request in every] == DRAWN


def test_the_digest_is_that_of_a_list_of_all_files(folder):
    import hashlib

    files = sorted(folder.iterdir())
    listed = "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)
    assert read(folder).sha256 == hashlib.sha256(listed.encode()).hexdigest()
    (folder / "README").write_text("passed over")
    assert read(folder).sha256 == hashlib.sha256(listed.encode()).hexdigest()


def test_a_selection_cuts_and_stretches(folder):
    half = read(folder, (0, 600), time_scale=0.5)
    assert len(half.requests) == 1800 and 250 < half.requests[-1].arrival_s < 300
    assert read(folder, (600, 1800), length_limit=100).too_long == 600


@pytest.mark.parametrize(
    ("trace", "line", "told"),
    [
        ("0,1,1,Gamma,1\n", 1, "5 fields where begin, rate, cv, pattern, shape and scale are 6"),
        ("0,1,1,Gamma,1,1\n", 1, "a window lasts until the next begins, but there is one at most: add a line"),
        ("0,1,1,Gamma,1,1\nx,1,1,Gamma,1,1\n", 2, "begin must be a number, not 'x'"),
        ("0,1,1,Gamma,1,1\n0,1,1,Gamma,1,1\n", 2, "the window begins at 0, not after the one before"),
        ("0,-1,1,Gamma,1,1\n600,0,0,,0,0\n", 1, "rate must be from 0 to 1e+06, not -1"),
        ("0,nan,1,Gamma,1,1\n600,0,0,,0,0\n", 1, "rate must be a number, not 'nan'"),
        ("0,1,1,Poisson,1,1\n600,0,0,,0,0\n", 1, "pattern must be Gamma, Weibull or nothing, not 'Poisson'"),
        ("0,1,1,Gamma,0,1\n600,0,0,,0,0\n", 1, "shape and scale must be above 0, not 0 and 1"),
        ("0,1,1,Gamma,1e-300,1\n600,0,0,,0,0\n", 1, "gaps of a Gamma distribution of shape 1e-300 have no length"),
        ("-600,1,1,Gamma,1,1\n0,0,0,,0,0\n", 1, "begin must be from 0 to"),
    ],
)
def test_a_bad_window_is_named_with_file_and_line(folder, trace, line, told):
    client(folder, 3, trace, {"0": SHORT})
    with pytest.raises(WorkloadError) as raised:
        read(folder)
    assert str(raised.value).startswith(f"{folder}/chunk-3-trace.csv:{line}: {told}")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("dataset", "told"),
    [
        ({"0": json.loads("[" * 900 + "]" * 900)}, "no histograms: Expected `object`, got `array`"),
        ({"0": SHORT | {"input_tokens": "{" + "9" * 5000 + ": 1}"}}, "second 0, input_tokens: must be {length: share"),
        ({"0": SHORT | {"input_tokens": "{1: 1e400}"}}, "second 0, input_tokens: shares must be from 0 on, and 1 in"),
        ([1], "no histograms: Expected `object`, got `array`"),
        ({"0": {"input_tokens": "{1: 1}"}}, "second 0 has no output_tokens: clients with images or sound are not read"),
        ({"soon": SHORT}, "'soon' is no second from which on histograms hold"),
        ({"0": SHORT | {"input_tokens": "[1]"}}, "second 0, input_tokens: must be {length: share, ...}, not '[1]'"),
        ({"0": SHORT | {"input_tokens": "{1: 0.5, 2}"}}, "second 0, input_tokens: must be {length: share, ...}, whole"),
        ({"0": SHORT | {"input_tokens": "{__import__('os'): 1}"}}, "second 0, input_tokens: must be {length: share"),
        ({"0": SHORT | {"output_tokens": "{-1: 1}"}}, "second 0, output_tokens: lengths must be from 0 to 10,000,000"),
        ({"0": SHORT | {"output_tokens": "{1: 0.5}"}}, "second 0, output_tokens: shares must be from 0 on, and 1 in"),
        ({"0": SHORT | {"output_tokens": "{1: nan}"}}, "second 0, output_tokens: shares must be from 0 on, and 1 in"),
    ],
)
def test_bad_histograms_are_named_with_their_file(folder, dataset, told):
    client(folder, 3, STEADY, dataset)
    with pytest.raises(WorkloadError) as raised:
        read(folder)
    assert str(raised.value).startswith(f"{folder}/chunk-3-dataset.json: {told}") and "\n" not in str(raised.value)


def test_files_that_are_not_there_or_no_text(folder, tmp_path):
    client(folder, 3, STEADY, {"600": SHORT})
    with pytest.raises(WorkloadError, match="chunk-3-trace.csv:1: chunk-3-dataset.json has no lengths for the window"):
        read(folder)
    (folder / "chunk-3-dataset.json").write_text("{")
    with pytest.raises(WorkloadError, match=r"chunk-3-dataset.json: not JSON: "):
        read(folder)
    (folder / "chunk-3-trace.csv").write_bytes(b"\xff")
    with pytest.raises(WorkloadError, match=r"chunk-3-trace.csv: not text: "):
        read(folder)
    (folder / "chunk-3-dataset.json").unlink()
    with pytest.raises(WorkloadError, match=r"chunk-3-dataset.json: there is no such file"):
        read(folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(WorkloadError, match=r"empty: no chunk-N-trace.csv in here"):
        read(tmp_path / "empty")
    with pytest.raises(WorkloadError, match=r"cannot be read: not a file"):
        read_workload(folder, "mooncake")
    with pytest.raises(WorkloadError, match=r"cannot be read: Not a directory"):
        read_workload(folder / "chunk-0-trace.csv", "servegen")


def test_more_than_can_be_run_is_refused_before_it_is_drawn(folder, monkeypatch):
    monkeypatch.setattr(draw, "MOST_LINES", 2000)
    with pytest.raises(WorkloadError, match="some 3,001 requests in the window, at most 2,000 are drawn: set"):
        read(folder)
    assert len(read(folder, (0, 600)).requests) == 1800


def test_options_of_files_are_refused(folder):
    with pytest.raises(WorkloadError, match="time_unit goes with kind burstgpt or mooncake, and this is servegen"):
        read(folder, time_unit="s")


def test_a_drawn_load_is_recorded_and_made_again(folder, tmp_path):
    scenario, path = tmp_path / "s.toml", tmp_path / "run.jsonl"
    scenario.write_text("seed = 5\n" + SCENARIO + 'kind = "servegen"\npath = "clients"\nwindow = [0, 60]\nlimit = 40\n')
    done = CliRunner().invoke(main, ["record", str(scenario), "-q", "-o", str(path)])
    assert done.exit_code == 0, done.output
    trace = Trace.open(path)
    assert trace.header.workload.kind == "servegen" and trace.header.workload.file == "clients"
    expected = read(folder, (0, 60), seed=5, limit=40).requests
    submitted = [(e.prompt_len, e.max_tokens, e.arrival_s) for e in trace.find("task_submitted")]
    assert submitted == [(one.prompt_len, one.output_len, one.arrival_s) for one in expected]
    again = ["verify", "--reproduce", "--workload", str(folder), str(path)]
    done = CliRunner().invoke(main, again)
    assert done.exit_code == 0 and "no differences" in done.output, done.output
    client(folder, 0, STEADY.replace("Gamma,1.0,0.5", "Gamma,1.5,0.5"), {"0": SHORT, "600": EMPTY, "1200": LONG})
    done = CliRunner().invoke(main, again)
    assert done.exit_code == 1 and "clients has the SHA-256" in done.output
