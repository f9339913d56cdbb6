"""Traces of engines other than this one, which leave out what they do not have: digests, masks, norms, keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from astrai_sim.tools.cli import main
from astrai_sim.trace import Trace, TraceError
from astrai_sim.trace.verify import verify
from scenes.film.vouched import vouched
from tests.trace.foreign import KEPT, LEFT_OUT, foreign
from tests.trace.recording import crowd, encoded, lines_of, recorded, resealed, written


@pytest.fixture(scope="module", params=["random-full", "random-bulk", "none-bulk"])
def own(request, tmp_path_factory) -> list[dict]:
    kind, detail = request.param.split("-")
    return lines_of(recorded(crowd(kind, detail), tmp_path_factory.mktemp("own") / "run.jsonl"))


def test_digests_masks_norms_keys_and_snapshots_may_be_left_out(own):
    trace = written(foreign(own, drop=["gather"]))
    report = verify(trace)
    assert report.levels["paging"].total() > 500 and not report.levels["policy"]
    said = "\n".join(report.trusted)
    assert "its footer states no digest" in said and "what the engine leaves out: " in said
    for what in ("mask", "norms", "gathers") if "spans" in str(own) else ("mask words", "table digest", "lengths"):
        assert f"{what} (" in said
    assert "parent key (" in said


def test_the_state_is_the_same_without_them(own):
    whole, less = written(own), written(foreign(own))
    ends = [[e.seq for e in trace.find("step_end")] for trace in (whole, less)]
    for seq, other in zip(*ends, strict=True):
        one, two = whole.state_at(seq), less.state_at(other)
        assert (one.mask, one.tables, one.tasks.keys(), one.lru) == (two.mask, two.tables, two.tasks.keys(), two.lru)
        assert (one.refs == two.refs).all() and (one.fill() == two.fill()).all()


def test_this_engine_may_leave_nothing_out(own):
    for at, line in enumerate(own[1:-1], 1):
        for name in LEFT_OUT & line.keys():
            if line[name] is not None and (line["event"], name) not in KEPT and at < 400:
                less = {k: v for k, v in line.items() if k != name}
                with pytest.raises(TraceError):
                    verify(resealed([*own[:at], less, *own[at + 1 :]]))
    with pytest.raises(TraceError, match="the footer says None"):
        verify(written([*own[:-1], {**own[-1], "sha256": None}]))


def test_a_lie_in_what_is_left_is_found(own):
    lines = foreign(own)
    at = next(i for i, line in enumerate(lines) if line.get("ref", line.get("refs")) == 1)
    name = "ref" if "ref" in lines[at] else "refs"
    with pytest.raises(TraceError) as raised:
        verify(written([*lines[:at], {**lines[at], name: 2}, *lines[at + 1 :]]))
    assert raised.value.level == "paging" and raised.value.line == at + 1


def test_a_digest_that_is_stated_must_be_right(own):
    with pytest.raises(TraceError, match="the digest is"):
        verify(written([*foreign(own)[:-1], {**foreign(own)[-1], "sha256": "0" * 64}]))


def test_pages_that_stay_held_are_found_at_the_end_without_snapshots(own):
    """Whoever takes no snapshots is swept once."""
    assert verify(written(foreign(own))).levels["paging"]["tables holding each page"] == 1


def test_commands_and_films_take_it(own, tmp_path: Path, monkeypatch):
    path = tmp_path / "other.jsonl"
    path.write_bytes(b"".join(map(encoded, foreign(own))))
    told = CliRunner().invoke(main, ["verify", str(path)])
    assert told.exit_code == 0 and "states no digest" in told.output and "the engine claims none" in told.output
    assert "none stated" in CliRunner().invoke(main, ["inspect", str(path)]).output
    monkeypatch.setattr("scenes.film.vouched.FOLDER", tmp_path / "verified")
    vouched(Trace.open(path))
    assert len(list((tmp_path / "verified").iterdir())) == 1
