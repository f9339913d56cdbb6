"""A film rendered section by section is the film rendered at one go."""

import av
import numpy as np
import pytest

from scenes.film.join import frame_count, join
from scenes.film.quality import rendering
from scenes.film.render import render_film, told_facts
from scenes.film.sheet import chapters, duration
from tests.film.tiny import TINY, Broken, TinyFilm


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


def test_a_failure_is_raised_and_leaves_no_film(two_requests, tmp_path):
    with pytest.raises(RuntimeError, match="second section cannot be drawn"):
        render_film(Broken, two_requests, TINY, media=tmp_path)
    assert not list(tmp_path.rglob("films/*"))
    left = [path for path in tmp_path.rglob("*") if path.name.startswith(".")]
    assert left == []
