"""Clips of every format are what they are called: codec, size, length, alpha, sound and first picture, read back."""

import json
from dataclasses import replace
from pathlib import Path

import av
import msgspec
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from scenes.cli import main
from scenes.clips.examine import BadClip, difference, examine, first_picture
from scenes.clips.formats import FORMATS, Stretch, frames, loops, write
from scenes.clips.making import Wanted, make_clips, on_ground
from scenes.clips.manifest import read_manifest, schema
from scenes.film import catalog
from scenes.film.audio import LUFS, RATE, NoSound, Sound
from scenes.film.cut import NoClip
from scenes.theme import DARK, LIGHT
from tests.film.test_join import clip
from tests.film.tiny import TINY, Silent, TinyFilm

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def media(tmp_path_factory):
    return tmp_path_factory.mktemp("media")


@pytest.fixture(scope="module")
def tone(tmp_path_factory):
    """Ten quiet seconds of a tone."""
    path = tmp_path_factory.mktemp("tone") / "tone.wav"
    sound = (0.05 * np.sin(2 * np.pi * 440 * np.arange(10 * 44100) / 44100) * 32767).astype(np.int16)
    with av.open(str(path), "w") as wav:
        stream = wav.add_stream("pcm_s16le", rate=44100, layout="mono")
        frame = av.AudioFrame.from_ndarray(sound[None], "s16", "mono")
        frame.sample_rate = 44100
        wav.mux(stream.encode(frame))
        wav.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def made(two_requests, media, tone, tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    wanted = Wanted(FORMATS, only=("one", "Part three"), audio=tone)
    return folder, make_clips(TinyFilm, folder, wanted, TINY, two_requests, media=media)


@pytest.fixture(scope="module")
def clear(two_requests, media, tmp_path_factory):
    folder, quality = tmp_path_factory.mktemp("clear"), replace(TINY, name="tiny-clear", clear=True)
    wanted = Wanted(("webm", "mov", "gif", "png"), only=("one",))
    return folder, make_clips(TinyFilm, folder, wanted, quality, two_requests, media=media)


def test_the_manifest_lists_all_that_is_there(made):
    folder, manifest = made
    assert read_manifest(folder) == manifest
    assert [entry.section for entry in manifest.clips] == ["one"] * len(FORMATS) + ["three"] * len(FORMATS)
    named = {entry.file for entry in manifest.clips} | {name for entry in manifest.clips for name in entry.subtitles}
    assert {path.name for path in folder.iterdir()} == named | {"manifest.json"}
    first = manifest.clips[0]
    assert (first.file, first.title, first.alt, first.captions[0].text) == (
        "01-one.mp4",
        "Part one",
        "Part one: First.",
        "First.",
    )
    assert len(manifest.trace.sha256) == 64 and manifest.trace.verified and first.trace == manifest.trace.sha256


@pytest.mark.parametrize("name, codec", [("mp4", "h264"), ("webm", "vp9"), ("mov", "prores"), ("gif", "gif")])
def test_videos_read_back(made, name, codec):
    folder, manifest = made
    entry = next(entry for entry in manifest.clips if entry.format == name)
    with av.open(str(folder / entry.file)) as container:
        video = container.streams.video[0]
        assert video.codec_context.name == codec
        assert (video.width, video.height) == (TINY.width, TINY.height) == (entry.width, entry.height)
        assert container.duration / av.time_base == pytest.approx(entry.duration, abs=0.15)
        pictures = sum(1 for _ in container.decode(video=0))
    assert pictures == round(entry.duration * TINY.fps)
    poster = Image.open(folder / "01-one.png")
    assert difference(first_picture(folder / entry.file, name, False), poster) < 3


def test_an_mp4_begins_with_what_a_player_needs_first(made):
    folder, _ = made
    content = (folder / "01-one.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_a_poster_says_what_it_shows(made):
    with Image.open(made[0] / "01-one.png") as poster:
        assert poster.info["Description"] == "Part one: First."
        assert poster.mode == "RGB" and poster.size == (TINY.width, TINY.height)


def test_transparent_clips_have_alpha(clear):
    folder, manifest = clear
    with Image.open(folder / "01-one.png") as image:
        poster = np.asarray(image.convert("RGBA"))
    assert 0.2 < (poster[..., 3] == 0).mean() < 0.95 and (poster[..., 3] == 255).any()
    assert all(entry.transparent for entry in manifest.clips)
    for name in ("webm", "mov"):
        seen = np.asarray(first_picture(folder / f"01-one.{name}", name, True)).astype(int)
        assert np.abs(seen[..., 3] - poster[..., 3].astype(int)).mean() < 1
        opaque = poster[..., 3] > 250
        assert np.abs(seen[opaque][:, :3] - poster[opaque][:, :3].astype(int)).mean() < 6
    with av.open(str(folder / "01-one.mov")) as container:
        assert container.streams.video[0].codec_context.codec_tag == "ap4h"


@pytest.mark.parametrize("name", ["mp4", "webm", "mov"])
def test_sound_lies_below_videos(made, name):
    folder, manifest = made
    entry = next(entry for entry in manifest.clips if entry.format == name)
    heard = Sound.of(folder / entry.file).samples
    assert len(heard) / RATE == pytest.approx(entry.duration, abs=0.05)
    assert np.abs(heard).max() > 0.1 and np.abs(heard[-100:]).max() < 0.02


def test_sound_is_cut_or_filled_up_and_as_loud_as_asked(tone):
    import pyloudnorm

    sound = Sound.of(tone)
    for seconds in (4.0, 20.0):
        fitted = sound.fitted(seconds)
        assert fitted.shape == (round(seconds * RATE), 2)
        assert pyloudnorm.Meter(RATE).integrated_loudness(fitted.astype(float)) == pytest.approx(LUFS, abs=0.3)
    assert not fitted[-RATE:].any()


def test_what_is_no_sound_is_refused(tone, tmp_path, made):
    (tmp_path / "text.wav").write_text("no sound")
    with pytest.raises(NoSound, match="no sound file"):
        Sound.of(tmp_path / "text.wav")
    with pytest.raises(NoSound, match="has no sound"):
        Sound.of(made[0] / "01-one.gif")
    with pytest.raises(NoSound, match="is silent"):
        Sound(tone, np.zeros((RATE, 2), np.float32)).fitted(1.0)
    with pytest.raises(NoSound, match="at least 0.4 s"):
        Sound(tone, np.ones((100, 2), np.float32)).fitted(1.0)


def test_what_was_made_of_the_same_frames_is_kept(made, two_requests, media, tone):
    folder, manifest = made
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    kept = {}
    wanted = Wanted(FORMATS, only=("one", "three"), audio=tone)
    make_clips(TinyFilm, folder, wanted, TINY, two_requests, media=media, written=lambda e, k: kept.update({e.file: k}))
    assert kept == {entry.file: entry.format != "gif" for entry in manifest.clips}
    assert all((folder / name).stat().st_mtime_ns == before[name] for name, was_kept in kept.items() if was_kept)
    (folder / "01-one.mp4").write_bytes(b"broken")
    make_clips(TinyFilm, folder, wanted, TINY, two_requests, media=media, written=lambda e, k: kept.update({e.file: k}))
    assert not kept["01-one.mp4"] and kept["03-three.mp4"]


def test_a_clip_in_which_nothing_is_said_has_no_subtitles(two_requests, tmp_path):
    wanted = Wanted(only=("one", "two"))
    manifest = make_clips(Silent, tmp_path / "out", wanted, TINY, two_requests, media=tmp_path / "media")
    assert [entry.subtitles for entry in manifest.clips] == [(), ("02-two.srt", "02-two.vtt")]
    assert manifest.clips[0].alt == "Part one" and not (tmp_path / "out" / "01-one.srt").exists()


def test_beats_are_cut_out_of_their_section(made, two_requests, media, tmp_path):
    manifest = make_clips(TinyFilm, tmp_path, Wanted(beats=True, only=("two-1",)), TINY, two_requests, media=media)
    assert [(entry.file, entry.beat) for entry in manifest.clips] == [("02-two-1.mp4", 0)]


def test_frames_from_any_place_are_those_from_the_beginning(tmp_path):
    shades = [20 + 7 * place % 211 for place in range(620)]
    source = clip(tmp_path / "long.mp4", shades, fps=60)
    with av.open(str(source)) as container:
        assert sum(packet.is_keyframe for packet in container.demux(video=0) if packet.dts is not None) > 2
    for first in (0, 1, 17, 249, 250, 251, 265, 266, 500, 619):
        seen = [frame.to_ndarray(format="gray").mean() for frame in frames(Stretch(source, first, 3, 60))]
        assert seen == pytest.approx(shades[first : first + 3], abs=3)


def test_a_stretch_that_ends_as_it_begins_loops(tmp_path):
    source = clip(tmp_path / "there.mp4", [20, 90, 200, 90, 20], size=(64, 64))
    assert loops(Stretch(source, 0, 5, 10)) and not loops(Stretch(source, 0, 4, 10))


def test_a_file_that_is_something_else_is_named(tmp_path):
    source = clip(tmp_path / "film.mp4", [20] * 6 + [220] * 6, size=(64, 64))
    whole, dark = Stretch(source, 0, 12, 10), Stretch(source, 0, 6, 10)
    for name in ("mp4", "webm"):
        path = tmp_path / f"clip.{name}"
        write(name, whole, path, {"title": "x"})
        examine(name, whole, path)
        with pytest.raises(BadClip, match="lasts 1.200 s, not 0.600 s"):
            examine(name, dark, path)
        with pytest.raises(BadClip, match="another picture"):
            examine(name, Stretch(source, 6, 12, 10), path)
        with pytest.raises(BadClip, match="not transparent"):
            examine(name, replace(whole, clear=True), path)
    with pytest.raises(BadClip, match="written in vp9, not h264"):
        examine("mp4", whole, tmp_path / "clip.webm")


def test_a_ground_must_leave_text_and_hues_to_be_seen():
    assert on_ground(DARK, "#101010").ground == "#101010"
    with pytest.raises(NoClip, match="contrast of text is 2.0, at least 4.5 .*--theme light"):
        on_ground(DARK, "#777777")
    with pytest.raises(NoClip, match="hues of requests is 2.9, at least 3.0 .*--theme light"):
        on_ground(DARK, "#204080")
    with pytest.raises(NoClip, match="--theme dark"):
        on_ground(LIGHT, "#B0B0B0")


def test_the_schema_in_the_docs_is_that_of_the_manifest():
    assert (DOCS / "clips.schema.json").read_text() == schema(), "run `make docs`"
    assert json.loads(schema())["$ref"].endswith("Manifest")


def test_a_manifest_that_is_none_is_refused(tmp_path):
    (tmp_path / "manifest.json").write_text('{"film": 1}')
    with pytest.raises(msgspec.ValidationError):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    "words, says",
    [
        (["--only", "four"], "no section is called 'four'"),
        (["--background", "transparent"], "mp4 has no transparency: choose from webm, mov, gif, png"),
        (["--background", "red"], "'red' is no colour"),
        (["--background", "#808080"], "the contrast of text"),
        (["--size", "huge"], "'huge' is no size"),
        (["--format", "avi"], "'avi' is not one of"),
        (["--audio", "none.wav"], "none.wav"),
    ],
)
def test_mistakes_are_one_line_and_write_nothing(monkeypatch, tmp_path, two_requests, words, says):
    monkeypatch.setattr(catalog, "films", lambda: {"TinyFilm": TinyFilm})
    monkeypatch.setenv("ASTRAI_TRACE", str(two_requests))
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["clips", "TinyFilm", *words, "-o", "out"])
    assert result.exit_code in (1, 2) and result.stderr.count("\n") == 1
    assert says in result.stderr and list(tmp_path.iterdir()) == []
