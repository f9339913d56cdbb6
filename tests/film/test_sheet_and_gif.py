"""Contact sheets and GIFs show what is in the film."""

import pytest
from PIL import Image, ImageSequence

from scenes.film.gif import Cut, TooLarge, make_gif
from scenes.film.join import join
from scenes.film.sheet import GAP, LINE, contact_sheet, shots
from tests.film.test_join import clip


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    folder = tmp_path_factory.mktemp("film")
    parts = [
        clip(folder / "dark.mp4", [20] * 20, size=(640, 360)),
        clip(folder / "bright.mp4", [220] * 20, size=(640, 360)),
    ]
    join(parts, folder / "film.mp4", 10, titles=["Dark", "Bright"])
    return folder / "film.mp4"


def test_shots_are_the_frames_shown_at_their_times(film):
    seen = list(shots(film, [0.0, 1.95, 2.0, 3.9]))
    shades = [shot.image.getpixel((10, 10))[0] for shot in seen]
    assert [shade > 128 for shade in shades] == [False, False, True, True]
    assert [shot.chapter for shot in seen] == ["Dark", "Dark", "Bright", "Bright"]


def test_sheet_has_a_place_for_every_frame(film, tmp_path):
    contact_sheet(film, tmp_path / "sheet.png", frames=6, columns=3, width=160)
    sheet = Image.open(tmp_path / "sheet.png")
    assert sheet.size == (3 * (160 + GAP) + GAP, 2 * (90 + LINE + GAP) + GAP)
    first = sheet.getpixel((GAP + 80, GAP + 45))
    last = sheet.getpixel((sheet.width - GAP - 80, sheet.height - GAP - LINE - 45))
    assert first[0] < 50 < 200 < last[0]


def test_gif_shows_the_stretch(film, tmp_path):
    gif = tmp_path / "film.gif"
    make_gif(film, gif, Cut(start=1.0, seconds=2.0, width=480, fps=5))
    frames = [f.convert("RGB").getpixel((9, 9))[0] for f in ImageSequence.Iterator(Image.open(gif))]
    with Image.open(gif) as image:
        assert image.size == (480, 270)
    assert frames[0] < 50 and frames[-1] > 200


def test_gif_that_cannot_fit_is_refused_and_not_written(film, tmp_path):
    with pytest.raises(TooLarge, match="fewer seconds"):
        make_gif(film, tmp_path / "film.gif", Cut(seconds=4.0), limit=100)
    assert list(tmp_path.iterdir()) == []
