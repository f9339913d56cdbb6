"""A film is cut at its sections and beats, with what is said meanwhile."""

import math
from dataclasses import replace

import pytest

from scenes.film.cut import Line, NoClip, cut
from scenes.film.rehearsal import Rehearsal, rehearse
from scenes.film.subtitles import clock, lines_of, write_script, write_subtitles
from scenes.prefix_cache import PrefixCache
from tests.film.tiny import TinyFilm


@pytest.fixture(scope="module")
def tiny(two_requests):
    return rehearse(TinyFilm, two_requests)


@pytest.fixture(scope="module")
def film():
    return rehearse(PrefixCache)


@pytest.mark.parametrize("beats", [False, True])
@pytest.mark.parametrize("fps", [15, 60])
def test_clips_are_the_whole_film(film, beats, fps):
    clips = cut(film, fps, beats)
    at = 0.0
    for clip in clips:
        assert clip.start == pytest.approx(at)
        at += clip.seconds
    assert at == pytest.approx(film.seconds)
    for played in film.sections:
        mine = [clip.frames for clip in clips if clip.section == played.section.key]
        assert mine[0][0] == 0
        assert all(first + count == after for (first, count), (after, _) in zip(mine, mine[1:], strict=False))
        assert sum(count for _, count in mine) == math.ceil(played.seconds * fps - 1e-6)


def test_clips_say_what_is_told(tiny, two_requests):
    first, *_, last = cut(tiny, 10)
    assert (first.name, first.title, first.events[0]) == ("01-one", "Part one", 0)
    assert [line.text for line in first.lines] == ["First."] and first.alt == "Part one: First."
    assert last.events[1] == len(tiny.scene.trace) - 1


def test_a_sentence_stays_until_another_comes(tiny):
    second = tiny.sections[1]
    silent = replace(second.section, beats=tuple(replace(beat, caption=None) for beat in second.section.beats))
    played = (tiny.sections[0], replace(second, section=silent), tiny.sections[2])
    clips = cut(Rehearsal(tiny.scene, played, tiny.seconds), 10)
    assert [[line.text for line in clip.lines] for clip in clips] == [["First."], ["First."], ["Third."]]
    assert [line.text for line in lines_of(clips)] == ["First.", "Third."]
    new = replace(silent, cut=True)
    clips = cut(Rehearsal(tiny.scene, (tiny.sections[0], replace(second, section=new)), tiny.seconds), 10)
    assert clips[1].lines == ()


def test_clips_are_named_by_key_title_and_place(film):
    clips = cut(film, 15)
    assert cut(film, 15, only=[clips[2].section, clips[1].title.upper()]) == clips[1:3]
    beats = cut(film, 15, beats=True)
    assert cut(film, 15, beats=True, only=[beats[1].name[3:]]) == [beats[1]]
    with pytest.raises(NoClip, match="no section is called 'grwth', did you mean growth"):
        cut(film, 15, only=["grwth"])
    with pytest.raises(NoClip, match="choose from .*growth"):
        cut(film, 15, only=["???"])


def test_a_line_within_a_clip():
    assert Line(2.0, 6.0, "x").within(3.0, 5.0) == Line(0.0, 2.0, "x")
    assert Line(2.0, 6.0, "x").later(1.5) == Line(3.5, 7.5, "x")


def test_subtitles_chapters_and_script(film, tmp_path):
    clips = cut(film, 60)
    srt, vtt = write_subtitles(lines_of(clips), tmp_path / "film.mp4")
    assert [path.name for path in (srt, vtt)] == ["film.srt", "film.vtt"]
    assert srt.read_text().startswith("1\n00:00:") and vtt.read_text().startswith("WEBVTT")
    for line in lines_of(clips):
        assert line.text in srt.read_text() and line.text in vtt.read_text()
    chapters, script = write_script(clips, "A film", tmp_path / "film.mp4")
    assert chapters.name == "film.chapters.txt" and script.name == "film.narration.md"
    lines = chapters.read_text().splitlines()
    assert lines[0] == f"0:00 {clips[0].title}" and len(lines) == len(clips)
    assert script.read_text().startswith("# A film\n\n## 0:00 ")
    assert all(line.text in script.read_text() for clip in clips for line in clip.lines)


@pytest.mark.parametrize(
    "seconds, whole, tenth", [(0, "0:00", "0:00.0"), (62.49, "1:02", "1:02.4"), (59.99, "0:59", "0:59.9")]
)
def test_clock(seconds, whole, tenth):
    assert clock(seconds) == whole and clock(seconds, tenths=True) == tenth
