"""Frame and theme are values of a rendering: pictures, clips and file names follow them."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from scenes.cli import main
from scenes.draw.layout import FRAMES, SQUARE, UPRIGHT, WIDE
from scenes.film import catalog
from scenes.film.kept import clip_path
from scenes.film.quality import FINAL, PREVIEW
from scenes.film.rehearsal import rehearse
from scenes.film.render import film_path
from scenes.stage.shot import Storyboard
from scenes.theme import DARK, LIGHT
from tests.lint.shots import ShotFilm, act, block, section, shot

FILM = section(shot("Because.", act((("a",), block(400, w=400))), act((("a",), block(400, w=500))), subject=("drawn",)))


class Told(ShotFilm):
    """A box that grows."""

    @classmethod
    def tell(cls, trace):
        return Storyboard(cls.__name__, (FILM,))


@pytest.fixture
def stills(monkeypatch, tmp_path):
    """Draws the first moment of a film of that name, with options, and gives the picture or the error."""
    monkeypatch.setattr(catalog, "films", lambda: {"Told": Told})

    def draw(film, *options):
        words = ["stills", film, "--at", "0", "--size", "180p", "-o", str(tmp_path), *options]
        result = CliRunner().invoke(main, words)
        return Image.open(tmp_path / "0000.000.png").convert("RGB") if not result.exit_code else result.stderr

    return draw


@pytest.mark.parametrize("frame, size", [("16:9", (320, 180)), ("1:1", (180, 180)), ("9:16", (180, 320))])
@pytest.mark.parametrize("theme, ground", [("dark", (13, 17, 23)), ("light", (255, 255, 255))])
def test_pictures_have_the_shape_and_the_ground_asked_for(stills, frame, size, theme, ground):
    image = stills("Told", "--frame", frame, "--theme", theme)
    assert image.size == size and image.getpixel((0, 0)) == ground
    scale = 180 / 1080
    assert image.getpixel((round(500 * scale), round(500 * scale))) == (55, 165, 251)


def test_the_short_side_keeps_its_pixels():
    sizes = {frame.name: (FINAL.shaped(frame).width, FINAL.shaped(frame).height) for frame in FRAMES.values()}
    assert sizes == {"16:9": (1920, 1080), "1:1": (1080, 1080), "9:16": (1080, 1920)}
    upright = PREVIEW.shaped(UPRIGHT)
    assert upright.width == 480 and upright.height % 2 == 0 and upright.fps == PREVIEW.fps


def test_every_look_has_files_of_its_own():
    rehearsal = rehearse(Told)
    looks = [FINAL.shaped(frame, theme) for frame in (WIDE, SQUARE, UPRIGHT) for theme in (DARK, LIGHT)]
    assert looks[0] == FINAL
    assert (
        len({clip_path(Path("clips"), rehearsal, rehearsal.sections[0], look).name.split("-")[-1] for look in looks})
        == 6
    )
    assert [film_path(Told, look).name for look in looks[:2]] == ["Told.mp4", "Told-final-light.mp4"]
    assert len({film_path(Told, look) for look in looks}) == 6
