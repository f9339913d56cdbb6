"""A film is made of a verified trace, and of that trace only."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys

import av
import numpy as np
import pytest
from click.testing import CliRunner

from astrai_sim.trace import Trace, TraceError
from scenes.cli import main
from scenes.draw.drawn import DrawnText
from scenes.film import vouched
from scenes.film.rehearsal import check, rehearse
from scenes.film.render import render_film
from scenes.film.scene import ASSETS
from scenes.film.worker import Job, Told, render_section
from scenes.lint.linter import lint
from tests.film.clean import told_facts
from tests.film.tiny import TINY, TinyFilm
from tests.trace.recording import lines_of, resealed

PROMO = ASSETS / "traces" / "promo.jsonl.gz"
H100 = b"NVIDIA H100 80GB HBM3"


@pytest.fixture
def store(tmp_path, monkeypatch):
    """An empty store of what was verified."""
    monkeypatch.setattr(vouched, "FOLDER", tmp_path / "verified")
    return tmp_path / "verified"


@pytest.fixture
def false_trace(tmp_path):
    """The shipped trace with another device in its header, and the true one's footer."""
    content = Trace.open(PROMO).content
    name = Trace.open(PROMO).header.device.name.encode()
    path = tmp_path / "false.jsonl"
    path.write_bytes(content.replace(b'"name":"%s"' % name, b'"name":"%s"' % H100, 1))
    assert H100 in path.read_bytes() and Trace.open(path).sha256 == Trace.open(PROMO).sha256
    return path


def words(mobjects) -> set[str]:
    family = [part for mobject in mobjects for part in mobject.get_family()]
    return {part.text for part in family if isinstance(part, DrawnText)}


def first_frame(path):
    with av.open(str(path)) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")


@pytest.mark.parametrize("command", ["render", "lint", "check"])
def test_a_false_header_is_refused_in_one_line(store, false_trace, command):
    done = CliRunner().invoke(main, [command, "PrefixCache", "--trace", str(false_trace)])
    assert done.exit_code == 1
    assert (
        f"{false_trace}:{len(false_trace.read_bytes().splitlines())}: " in done.output
        and "the digest is" in done.output
    )
    assert not list(store.glob("*"))


def test_a_false_trace_does_not_poison_the_true_one(store, false_trace, tmp_path, monkeypatch):
    """Told unverified, it says so, and nothing of it is taken for the true one's film."""
    with pytest.raises(TraceError, match="the digest is"):
        render_film(TinyFilm, false_trace, TINY, media=tmp_path)
    monkeypatch.setenv(vouched.UNVERIFIED_VARIABLE, "1")
    lie = render_film(TinyFilm, false_trace, TINY, media=tmp_path, output=tmp_path / "lie.mp4")
    monkeypatch.delenv(vouched.UNVERIFIED_VARIABLE)
    true = render_film(TinyFilm, PROMO, TINY, media=tmp_path, output=tmp_path / "true.mp4")
    assert true.rendered == lie.rendered == ("one", "two", "three")
    facts, lied = told_facts(true.path), told_facts(lie.path)
    assert facts["trace_sha256"] == Trace.open(PROMO).footer.sha256 != lied["trace_sha256"]
    assert (facts["trace_verified"], lied["trace_verified"]) == ("yes", "no")
    assert H100.decode() in lied["device"] and "H100" not in facts["device"]
    assert not np.array_equal(first_frame(true.path), first_frame(lie.path))


def test_an_unverified_trace_says_so_in_every_section(store, false_trace, monkeypatch):
    monkeypatch.setenv(vouched.UNVERIFIED_VARIABLE, "1")
    seen = []

    class Look:
        def section_started(self, scene, section):
            seen.append(words(scene.mobjects))

        def animation_ended(self, scene, began, moved):
            seen.append(words(scene.mobjects))

        def beat_ended(self, scene, section, beat):
            pass

        def section_ended(self, scene, section):
            seen.append(words(scene.mobjects))

    rehearse(TinyFilm, false_trace, observers=(Look(),))
    assert len(seen) > 6 and all("UNVERIFIED" in shown for shown in seen)
    assert not any("H100" in text for shown in seen for text in shown)


def test_what_verify_rejects_is_told_by_nothing(store, tmp_path):
    """A mask that is not the one of the events, under a footer that fits."""
    lines = lines_of(Trace.open(PROMO))
    at = next(i for i, line in enumerate(lines) if line.get("event") == "page_alloc")
    lines[at] = {**lines[at], "mask": hex(int(lines[at]["mask"], 16) ^ 1 << 7)}
    path = tmp_path / "mask.jsonl"
    path.write_bytes(resealed(lines).content)
    for told in (check, lint, rehearse):
        with pytest.raises(TraceError, match="mask is recorded as"):
            told(TinyFilm, path)


def test_each_content_is_verified_once(store, monkeypatch, tmp_path, capsys):
    """Remembered by what the file holds, not by its name, its packing or its footer's word."""
    calls = []
    verify = vouched.verify
    monkeypatch.setattr(vouched, "verify", lambda trace, cut: calls.append(trace.path) or verify(trace, cut))
    monkeypatch.setattr(vouched, "LONG", 1000)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    rehearse(TinyFilm, PROMO)
    rehearse(TinyFilm, PROMO)
    assert calls == [PROMO] and f"verifying {PROMO}: {len(Trace.open(PROMO)):,} events" in capsys.readouterr().err
    plain = tmp_path / "plain.jsonl"
    plain.write_bytes(gzip.decompress(PROMO.read_bytes()))
    rehearse(TinyFilm, plain)
    assert calls == [PROMO]
    plain.write_bytes(plain.read_bytes().replace(b'"events":', b'"events":1'))
    with pytest.raises(TraceError):
        rehearse(TinyFilm, plain)
    monkeypatch.setattr(vouched, "sources_digest", lambda *folders: "0" * 64)
    rehearse(TinyFilm, PROMO)
    assert calls == [PROMO, plain, PROMO]


def test_a_trace_that_changes_under_the_rendering_is_refused(store, two_requests, tmp_path, monkeypatch):
    path = tmp_path / "run.jsonl"
    path.write_bytes(gzip.decompress(two_requests.read_bytes()))
    rehearsal = rehearse(TinyFilm, path)
    section = rehearsal.sections[0].section
    told = Told("its file", rehearsal.scene.trace.content_sha256, False)
    path.write_bytes(gzip.decompress(PROMO.read_bytes()))
    with pytest.raises(TraceError, match="changed while the film was being rendered"):
        render_section(Job(TinyFilm, told, section, TINY), {"its file": path}, tmp_path / "clip.mp4")


def test_a_recording_that_was_cut_is_told_as_far_as_it_holds(store, tmp_path):
    lines = Trace.open(PROMO).content.splitlines(keepends=True)[:700]
    path = tmp_path / "cut.jsonl"
    path.write_bytes(b"".join(lines))
    rehearse(TinyFilm, path)
    event = json.loads(lines[600])
    lines[600] = json.dumps({**event, "step": 77}).encode() + b"\n"
    path.write_bytes(b"".join(lines))
    with pytest.raises(TraceError, match="601.*step is recorded as 77"):
        rehearse(TinyFilm, path)


@pytest.mark.slow
def test_plain_manim_refuses_it_too(false_trace, tmp_path):
    command = [sys.executable, "-m", "manim", "render", "-ql", "--dry_run", "--media_dir", tmp_path]
    command += [ASSETS.parent / "scenes" / "prefix_cache.py", "PrefixCache"]
    environment = {**os.environ, "ASTRAI_TRACE": str(false_trace)}
    done = subprocess.run(command, cwd=ASSETS.parent, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode and "the digest is" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
