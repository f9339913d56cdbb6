"""A film rendered section by section is the film rendered at one go."""

import os
import signal
import subprocess
import sys
import time

import av
import numpy as np
import pytest

from scenes.farm.task import WorkersLost
from scenes.film.join import is_whole, join
from scenes.film.quality import rendering
from scenes.film.render import render_film
from scenes.film.scene import ASSETS
from scenes.film.sheet import chapters, duration
from tests.film.clean import told_facts
from tests.film.test_join import frame_count
from tests.film.tiny import TINY, Broken, Killed, TinyFilm


@pytest.fixture(scope="module")
def media(tmp_path_factory):
    return tmp_path_factory.mktemp("media")


@pytest.fixture(scope="module")
def reports():
    return []


@pytest.fixture(scope="module")
def film(two_requests, media, reports):
    return render_film(
        TinyFilm, two_requests, TINY, media=media, progress=lambda done, total: reports.append((done, total))
    )


def frames(path):
    with av.open(str(path)) as container:
        return np.stack([f.to_ndarray(format="rgb24") for f in container.decode(video=0)])


def test_same_frames_as_in_one_process(film, two_requests, tmp_path):
    with rendering(TINY, tmp_path):
        scene = TinyFilm(trace=two_requests)
        scene.render()
    parts = [part for part in scene.renderer.file_writer.partial_movie_files if part]
    join(parts, tmp_path / "whole.mp4", TINY.fps)
    assert np.array_equal(frames(film.path), frames(tmp_path / "whole.mp4"))


def test_length_is_the_sum_of_the_sections(film, media):
    clips = list((media / "sections" / "TinyFilm").glob("*.mp4"))
    assert len(clips) == 3
    assert frame_count(film.path) == sum(frame_count(clip) for clip in clips)
    assert duration(film.path) == pytest.approx(frame_count(film.path) / TINY.fps)


def test_sections_are_chapters(film):
    assert [title for _, _, title in chapters(film.path)] == ["Part one", "Part two", "Part three"]


def test_tags_name_the_recording(film, two_requests):
    from astrai_sim.trace import Trace

    trace = Trace.open(two_requests)
    facts = told_facts(film.path)
    assert facts["title"] == "TinyFilm: Two short requests"
    assert facts["trace_sha256"] == trace.sha256
    assert facts["trace_schema"] == f"{trace.header.schema} {trace.header.version}"
    assert trace.header.device.name in facts["device"]
    assert facts["rendered_with"].startswith("Manim Community 0.22")
    assert facts["engine_commit"]


def test_progress_reaches_the_end(film, reports):
    done, total = reports[-1]
    assert done == total > 0
    assert [d for d, _ in reports] == sorted(d for d, _ in reports)


def test_second_rendering_renders_nothing_and_is_the_same(film, two_requests, media):
    before = film.path.read_bytes()
    again = render_film(TinyFilm, two_requests, TINY, media=media)
    assert again.rendered == ()
    assert again.reused == ("one", "two", "three")
    assert again.path.read_bytes() == before


def test_only_a_missing_section_is_rendered(film, two_requests, media):
    (clip,) = (media / "sections" / "TinyFilm").glob("two-*.mp4")
    clip.unlink()
    again = render_film(TinyFilm, two_requests, TINY, media=media)
    assert again.rendered == ("two",)


@pytest.mark.parametrize("share", [0.0, 0.4, 0.9])
def test_a_clip_that_was_cut_short_is_rendered_again(film, two_requests, media, share):
    (clip,) = (media / "sections" / "TinyFilm").glob("two-*.mp4")
    whole = clip.read_bytes()
    clip.write_bytes(whole[: int(len(whole) * share)])
    again = render_film(TinyFilm, two_requests, TINY, media=media)
    assert again.rendered == ("two",) and is_whole(clip)


@pytest.mark.parametrize("stop", [signal.SIGTERM, pytest.param(signal.SIGKILL, marks=pytest.mark.slow), signal.SIGINT])
def test_workers_end_with_the_one_who_wants_the_film(two_requests, tmp_path, stop):
    """They hold its output: `communicate` returns when the last of them is gone."""
    command = [sys.executable, "-m", "scenes", "render", "PrefixCache", "--trace", two_requests, "--processes", "2"]
    with subprocess.Popen(
        [*map(str, command), "-o", str(tmp_path / "x.mp4")],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ASSETS.parent)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        until = time.monotonic() + 150
        while not list(tmp_path.rglob(".rendering-*")) and time.monotonic() < until and process.poll() is None:
            time.sleep(0.1)
        assert process.poll() is None, process.communicate()
        process.send_signal(stop)
        _, said = process.communicate(timeout=60)
    assert "leaked" not in said or stop != signal.SIGINT, said
    assert "Traceback" not in said and process.returncode == (130 if stop == signal.SIGINT else -stop)
    assert not (tmp_path / "x.mp4").exists()


@pytest.mark.parametrize(
    "film, kind, says",
    [(Broken, RuntimeError, "second section cannot be drawn"), (Killed, WorkersLost, "was killed.*--processes 1")],
)
def test_a_failure_is_raised_and_leaves_no_film(two_requests, tmp_path, film, kind, says):
    with pytest.raises(kind, match=says):
        render_film(film, two_requests, TINY, media=tmp_path)
    assert not list(tmp_path.rglob("films/*"))
    left = [path for path in tmp_path.rglob("*") if path.name.startswith(".")]
    assert left == []
