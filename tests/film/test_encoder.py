"""What encoding leaves out, and that nothing else is left out."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from manim._config.video_encoder import VideoEncoderSpec

from scenes.draw.planes import Planes
from scenes.draw.screen import Area
from scenes.film import keys
from scenes.film.encoder import Encoder
from scenes.film.join import join
from scenes.film.likeness import likeness
from scenes.film.quality import ENCODER, rendering
from scenes.film.repeats import same_again
from tests.film.tiny import TINY, TinyFilm

W, H = 320, 180


def spec(**options):
    every = {**ENCODER, **options}
    return VideoEncoderSpec("mp4", "libx264", "yuv420p", W, H, Fraction(60), tuple(sorted(every.items())))


def picture(seed=0):
    """A drawn picture: a ramp with boxes of every colour on it."""
    drawn = np.random.default_rng(seed)
    pixels = np.full((H, W, 4), 255, np.uint8)
    pixels[..., :3] = (np.arange(W) // 2)[None, :, None]
    for _ in range(12):
        x, y = drawn.integers(0, W - 60), drawn.integers(0, H - 40)
        pixels[y : y + 40, x : x + 60, :3] = drawn.integers(0, 256, 3)
    return pixels


def planes_of(frame):
    return [np.frombuffer(p, np.uint8).reshape(p.height, p.line_size)[:, : p.width].copy() for p in frame.planes]


def decoded(path):
    with av.open(str(path)) as container:
        return [planes_of(frame) for frame in container.decode(video=0)]


def packets(path):
    with av.open(str(path)) as container:
        return [(bytes(p), p.pts, p.dts, p.is_keyframe) for p in container.demux(video=0) if p.dts is not None]


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize(
    "area", [(0, 0, 2, 2), (100, 60, 140, 100), (318, 178, 320, 180), (6, 90, 320, 92), (0, 0, W, H)]
)
def test_what_changed_is_converted_as_if_all_was(area):
    before, after = picture(1), picture(1)
    area = Area(*area)
    after[area.top : area.bottom, area.left : area.right, :3] = np.random.default_rng(2).integers(
        0, 256, (area.bottom - area.top, area.right - area.left, 3)
    )
    planes, whole = Planes(W, H), Area(0, 0, W, H)
    planes.take(whole, before)
    needed = planes.needs(area)
    planes.take(area, after[needed.top : needed.bottom, needed.left : needed.right])
    asked = av.VideoFrame.from_ndarray(after, format="rgba").reformat(format="yuv420p")
    assert all(np.array_equal(a, b) for a, b in zip(planes.planes, planes_of(asked), strict=True))
    assert planes.converted == W * H + needed.size


def written(path, shown, **options):
    """A file of the pictures `shown`, each (pixels, changed areas, times); gives its encoder."""
    encoder = Encoder(path, spec(**options))
    for pixels, changed, times in shown:
        encoder.put(pixels, changed, times)
    encoder.close()
    return encoder


MOVES = [
    (picture(1), None, 1),
    (picture(2), None, 3),
    (picture(2), (), 20),
    (picture(3), None, 2),
    (picture(4), None, 1),
]


def test_frames_that_repeat_are_not_given_to_the_codec(tmp_path):
    encoder = written(tmp_path / "a.mp4", MOVES)
    found, sent = decoded(tmp_path / "a.mp4"), packets(tmp_path / "a.mp4")
    assert len(found) == len(sent) == 27 and encoder.encoded == 4
    assert encoder.planes.converted == 4 * W * H
    assert all(same(found[1], frame) for frame in found[1:24]) and same(found[24], found[25])
    assert not same(found[0], found[1]) and not same(found[23], found[24]) and not same(found[25], found[26])
    assert [pts // (sent[1][1] - sent[0][1]) for _, pts, _, _ in sent] == [*range(27)]
    assert all(len(data) < 200 for data, *_ in sent[2:24])


def test_frames_after_a_repetition_are_decoded_as_without_it(tmp_path, monkeypatch):
    """With so many pictures that the number of each has begun anew several times, and none encoded once more."""
    monkeypatch.setattr(keys, "SHARE", 2)
    turns = [(picture(seed), None, 1 + seed % 4) for seed in range(40)]
    written(tmp_path / "with.mp4", turns)
    written(tmp_path / "without.mp4", [(pixels, None, 1) for pixels, *_ in turns])
    shown, once = decoded(tmp_path / "with.mp4"), decoded(tmp_path / "without.mp4")
    expected = [once[place] for place, (_, _, times) in enumerate(turns) for _ in range(times)]
    assert len(shown) == len(expected) and all(same(a, b) for a, b in zip(shown, expected, strict=True))


def dotted(shade):
    """A picture of which a corner has that shade."""
    pixels = picture(1)
    pixels[:16, :16, :3] = shade
    return pixels


def test_long_films_have_key_frames_to_begin_at(tmp_path):
    written(tmp_path / "a.mp4", [(dotted(20 * shade), None, 60) for shade in range(13)])
    assert [place for place, (*_, key) in enumerate(packets(tmp_path / "a.mp4")) if key] == [0, 300, 600]


def test_what_has_come_to_rest_is_shown_more_finely(tmp_path):
    moves = [(picture(seed), None, 1) for seed in range(60)]
    encoder = written(tmp_path / "a.mp4", [*moves, (picture(60), None, 60)])
    shown, sent = decoded(tmp_path / "a.mp4"), packets(tmp_path / "a.mp4")
    (_, fine) = [place for place, (*_, key) in enumerate(sent) if key]
    assert 60 < fine < 75 and encoder.encoded == 62
    asked = planes_of(av.VideoFrame.from_ndarray(picture(60), format="rgba").reformat(format="yuv420p"))
    before, after = (np.abs(np.subtract(shown[at][0], asked[0], dtype=int)).mean() for at in (60, fine))
    assert 0 < 2 * after < before and same(shown[fine], shown[119])


def test_the_same_pictures_give_the_same_packets(tmp_path):
    for name in "ab":
        written(tmp_path / f"{name}.mp4", MOVES)
    assert packets(tmp_path / "a.mp4") == packets(tmp_path / "b.mp4")


@pytest.mark.parametrize("options", [{"bf": "2"}, {"refs": "3"}, {"x264-params": "force-cfr=0"}, {"crf": "0"}])
def test_streams_in_which_pictures_cannot_be_put_get_every_picture_from_the_codec(tmp_path, options):
    assert same_again(spec(**options)) is None
    encoder = written(tmp_path / "a.mp4", MOVES, **options)
    assert encoder.encoded == 27 and len(decoded(tmp_path / "a.mp4")) == 27


def test_an_encoder_that_fails_says_so_and_leaves_nothing(tmp_path):
    encoder = Encoder(tmp_path / "a.mp4", spec())
    with pytest.raises(ValueError, match="size|shape|dimension|broadcast"):
        encoder.put(picture()[:100], None)
        encoder.close()
    assert not list(tmp_path.iterdir())


SLOW = {"preset": "medium", "crf": "16", "x264-params": "force-cfr=1:scenecut=0"}


def film(folder: Path, two_requests, **options):
    """The tiny film, rendered with options of the encoder."""
    with rendering(TINY, folder, **options):
        scene = TinyFilm(trace=two_requests, quality=TINY)
        scene.render()
    join([Path(part) for part in scene.renderer.file_writer.partial_movie_files], folder / "film.mp4", TINY.fps)
    return folder / "film.mp4"


def test_a_film_is_as_close_to_what_was_drawn_as_with_a_slow_encoder(tmp_path, two_requests):
    looks = {"as it is": {}, "slow": SLOW, "drawn": {"crf": "0"}}
    shown, slow, drawn = (film(tmp_path / name, two_requests, **options) for name, options in looks.items())
    assert 1 > likeness(shown, drawn) >= likeness(slow, drawn) > 0.999
    assert likeness(drawn, drawn) == 1
