"""The project's own files say the same thing in different places."""

import configparser
import re
import subprocess
import sys

import pytest

from scenes import theme
from scenes.draw import fonts
from scenes.film import catalog
from scenes.film.quality import ENCODER
from tests.conftest import ROOT


def manim_cfg():
    parser = configparser.ConfigParser()
    parser.read(ROOT / "manim.cfg")
    return parser


def test_plain_manim_uses_the_theme_and_the_same_encoder():
    config = manim_cfg()
    assert config["CLI"]["background_color"] == theme.BACKGROUND
    options = dict(config["video_encoder.options"])
    assert options.pop("crf") == ENCODER["qp"], "the encoder of WebM has no other"
    assert options == {name: ENCODER[name] for name in ENCODER if name != "crf"}


@pytest.mark.parametrize("family", ["Inter", "JetBrainsMono"])
def test_fonts_ship_with_their_licence(family):
    assert any(name.startswith(family) for name in fonts.FACES.values())
    licence = (fonts.FOLDER / f"OFL-{family}.txt").read_text()
    assert "SIL OPEN FONT LICENSE Version 1.1" in licence and licence.startswith("Copyright")


def test_the_scenario_in_the_readme_is_one(tmp_path):
    from astrai_sim.scenario import load_scenario

    readme = (ROOT / "README.md").read_text()
    block = readme.split("```toml\n")[1].split("```")[0]
    path = tmp_path / "mine.toml"
    path.write_text(block)
    assert load_scenario(path).requests[0].prefix == "system"


def test_the_readme_names_what_there_is():
    readme = (ROOT / "README.md").read_text()
    for word in re.findall(r"`((?:astrai_sim|scenes|assets)[\w/.]*)`", readme):
        assert (ROOT / word).exists(), word
    assert all(f"`{name}`" in readme for name in catalog.films())
    targets = set(re.findall(r"(?:^|`)make ([a-z-]+)", readme, re.M))
    rules = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    assert targets <= rules


def test_make_passes_its_variables_on():
    def plan(*words):
        done = subprocess.run(
            ["make", "-n", "-o", ".venv/.ready", *words], cwd=ROOT, capture_output=True, text=True, check=True
        )
        return done.stdout

    film = plan("film", "TRACE=run one.jsonl", "QUALITY=preview")
    assert 'scenes render "PrefixCache" --trace "run one.jsonl" --quality "preview"' in film
    timed = plan("film", "SECONDS=60", "QUALITY=preview")
    assert 'scenes render "PrefixCache" --seconds "60" --quality "preview"' in timed
    shaped = plan("film", "FRAME=9:16", "THEME=light")
    assert 'scenes render "PrefixCache" --frame "9:16" --theme "light" --quality "final"' in shaped
    record = plan("record", "SCENARIO=chat", "DEVICE=cuda")
    assert 'astrai_sim record "chat" --device "cuda"' in record
    assert 'record "chat" -o "x y.jsonl"' in plan("record", "SCENARIO=chat", "OUT=x y.jsonl")
    assert "--device" not in plan("record")


@pytest.mark.slow
def test_plain_manim_renders_the_film(tmp_path, two_requests):
    import os

    subprocess.run(
        [
            sys.executable,
            "-m",
            "manim",
            "render",
            "-r",
            "320,180",
            "--fps",
            "5",
            "--media_dir",
            tmp_path,
            "scenes/prefix_cache.py",
            "PrefixCache",
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
        env={**os.environ, "ASTRAI_TRACE": str(two_requests)},
    )
    (film,) = tmp_path.rglob("PrefixCache.mp4")
    assert film.stat().st_size > 10_000
