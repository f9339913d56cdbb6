"""A section of any film may be split at any of its beats: the parts have the packets of the whole."""

import av
import pytest

from scenes.farm.task import Input
from scenes.film import catalog
from scenes.film.opening import other_trace, shipped_path
from scenes.film.rehearsal import rehearse
from scenes.film.worker import Job, Told, render_section
from tests.film.tiny import TINY

pytestmark = pytest.mark.slow


def packets(path):
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.dts is not None]


@pytest.mark.parametrize("name", catalog.films())
def test_every_other_section_of_a_film_is_its_parts(name, tmp_path, monkeypatch):
    monkeypatch.setattr("scenes.film.opening._lent", {})
    film = catalog.film(name)
    rehearsal = rehearse(film, quality=TINY)
    trace = Input.of(rehearsal.scene.trace_path)
    files, told = {trace.sha256: trace.path}, Told(trace.sha256, rehearsal.scene.trace.content_sha256, False)
    for place, played in enumerate(rehearsal.sections):
        if len(played.beats) < 2 or place % 2:
            continue
        others = {}
        if source := played.section.source:
            other = Input.of(shipped_path(source))
            files[other.sha256] = other.path
            others[source] = Told(other.sha256, other_trace(source).content_sha256, False)
        job, end = Job(film, told, played.section, TINY, None, others), len(played.beats)
        render_section(job, files, whole := tmp_path / f"{place}.mp4")
        found = []
        for first, last in ((0, end // 2), (end // 2, end - 1), (end - 1, end)):
            if first < last:
                part = tmp_path / f"{place}-{first}.mp4"
                render_section(Job(film, told, played.section, TINY, (first, last), others), files, part)
                found += packets(part)
        assert found == packets(whole), played.section.key
