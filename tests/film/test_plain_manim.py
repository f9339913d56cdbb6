"""Plain `manim` renders a film, says where it went, and says in one line why it cannot."""

import os
import subprocess
import sys

import av
import pytest

from tests.conftest import ROOT

TINY_FILE = ROOT / "tests" / "film" / "tiny.py"
QUALITY = ("--resolution", "320,180", "--fps", "10")


def manim(tmp_path, trace, *words, **variables):
    command = [sys.executable, "-m", "manim", "render", *QUALITY, "--media_dir", tmp_path, *words]
    environment = {**os.environ, "ASTRAI_TRACE": str(trace), **variables}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("ending, codec", [("webm", "vp9"), ("mp4", "h264")])
def test_it_prints_where_the_film_went(tmp_path, two_requests, ending, codec):
    done = manim(tmp_path, two_requests, "--format", ending, TINY_FILE, "TinyFilm")
    assert done.returncode == 0, done.stderr
    (film,) = (tmp_path / "videos").rglob(f"TinyFilm.{ending}")
    assert done.stdout.splitlines()[-1] == str(film)
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name.startswith(codec) or stream.codec_context.codec.canonical_name == codec
        assert (stream.width, stream.height, stream.average_rate) == (320, 180, 10)


@pytest.mark.parametrize(
    "trace, film, variables, said",
    [
        ("two_requests", "eviction.py:Eviction", {}, "Eviction: "),
        ("missing", "eviction.py:Eviction", {}, "No such file"),
        ("two_requests", "prefix_cache.py:PrefixCache", {"ASTRAI_SECONDS": "abc"}, "ASTRAI_SECONDS is 'abc'"),
        ("two_requests", "prefix_cache.py:PrefixCache", {"ASTRAI_SECONDS": "2"}, "ask for --seconds"),
    ],
)
def test_what_cannot_be_told_is_one_line(tmp_path, two_requests, trace, film, variables, said):
    file, name = film.split(":")
    path = two_requests if trace == "two_requests" else tmp_path / "missing.jsonl.gz"
    done = manim(tmp_path, path, ROOT / "scenes" / file, name, **variables)
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert said in line
    assert not list((tmp_path / "videos").rglob("*.mp4"))
