"""Every command over every hostile trace: a line or two that say what is wrong, nothing written, and soon."""

from __future__ import annotations

import gzip

import pytest
from click.testing import CliRunner

from astrai_sim.tools.cli import main as sim
from astrai_sim.trace import Trace, TraceError, reader
from scenes.cli import main as film
from tests.hostile.traces import corpus
from tests.trace.recording import crowd, recorded

LEVELS = 3
"""Lines that `verify` needs where only the policy does not hold."""
HARMLESS = {"title_of_markup", "started_of_markup"}
"""What a trace may say, however strange: it is printed as it stands, and obeyed by nobody."""


FILMING = "lint", "check", "render"
STILLS = "PrefixSharing", "--beats", "-o", "x.png"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    trace = recorded(crowd(), folder / "true.jsonl")
    (folder / "made").mkdir()
    return list(corpus(trace, folder / "made"))


def run(command, *words):
    done = CliRunner().invoke(command, [str(word) for word in words])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert not {"\x1b", "\x00", "\x07"} & set(done.output)
    return done


def test_verify_refuses_them(files):
    for path in files:
        done = run(sim, "verify", path)
        assert (done.exit_code == 1) == (path.stem not in HARMLESS), path
        assert done.exit_code == 0 or (f"{path}" in done.output and len(done.output.splitlines()) <= LEVELS), path


def test_inspect_shows_or_refuses_them(files):
    for path in files:
        done = run(sim, "inspect", path)
        assert done.exit_code == 0 or len(done.output.splitlines()) == 1, path


@pytest.mark.slow
def test_plot_draws_or_refuses_them(files, tmp_path):
    for path in files:
        picture = tmp_path / f"{path.stem}.png"
        done = run(sim, "plot", path, "-o", picture)
        assert picture.exists() == (done.exit_code == 0), path
        assert done.exit_code == 0 or len(done.output.splitlines()) <= LEVELS, path
    assert not [path for path in tmp_path.iterdir() if path.suffix != ".png" or path.name.startswith(".")]


def test_films_are_not_told_of_them(files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in files:
        if path.stem not in HARMLESS:
            for words in (*((command, "PrefixSharing") for command in FILMING), ("stills", *STILLS), ("list",)):
                done = run(film, *words, "--trace", path)
                assert done.exit_code == 1 and len(done.output.splitlines()) <= LEVELS, path
    assert not list(tmp_path.iterdir())


def test_more_than_can_be_read_is_refused_before_it_is_read(tmp_path, monkeypatch):
    bomb = tmp_path / "bomb.jsonl.gz"
    bomb.write_bytes(gzip.compress(b"0" * 50_000_000))
    monkeypatch.setattr(reader, "MOST_BYTES", 1_000_000)
    with pytest.raises(TraceError, match="larger than"):
        Trace.open(bomb)
    monkeypatch.setattr(reader, "MOST_BYTES", 60_000_000)
    monkeypatch.setattr(reader, "LONGEST_LINE", 1_000_000)
    long = tmp_path / "long.jsonl"
    long.write_bytes(b"0" * 2_000_000 + b"\n")
    with pytest.raises(TraceError, match="long.jsonl:1: a line of more than"):
        Trace.open(long)
