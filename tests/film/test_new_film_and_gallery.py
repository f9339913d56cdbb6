"""A new film renders as it is written; the gallery has every part of the stage."""

import importlib.util
import re
import subprocess
import sys

import pytest
from click.testing import CliRunner
from PIL import Image

from scenes.cli import main
from scenes.draw.layout import FRAMES
from scenes.film import catalog, new_film
from scenes.film.gallery import parts
from scenes.film.quality import PREVIEW
from scenes.film.scene import ASSETS
from scenes.theme import THEMES
from tests.conftest import ROOT
from tests.film.clean import assert_clean


@pytest.fixture
def run(monkeypatch, tmp_path):
    monkeypatch.setattr(new_film, "FOLDER", tmp_path)
    return lambda *words: CliRunner().invoke(main, [str(word) for word in words])


def load(path, name):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)


@pytest.mark.parametrize(
    "name, film, file",
    [
        ("FirstToken", "FirstToken", "first_token"),
        ("kv_heads", "KvHeads", "kv_heads"),
        ("KVCache2", "KVCache2", "kv_cache2"),
    ],
)
def test_a_new_film_is_one_file(run, tmp_path, name, film, file):
    result = run("new-film", name)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == f"{tmp_path / file}.py\n" and f"FILM={film}" in result.stderr
    assert load(tmp_path / f"{file}.py", film).__name__ == film


def test_a_new_film_is_clean_and_true(run, tmp_path):
    run("new-film", "Newborn")
    film = load(tmp_path / "newborn.py", "Newborn")
    assert_clean(film, ASSETS / "traces" / film.default_trace)


def test_a_new_film_is_written_in_the_projects_form(run, tmp_path):
    run("new-film", "AFilmWithSomeVeryLongNameThatWorks")
    for words in (["check"], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *words, "--config", ROOT / "pyproject.toml", tmp_path]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["", "two words", "1st", "a-b", "class", "Ünder", "a/b", "../a"])
def test_what_is_no_name_is_refused(run, tmp_path, name):
    result = run("new-film", name)
    assert result.exit_code == 1
    assert f"Error: {name!r} cannot name a film" in result.stderr and result.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_what_is_there_is_kept(run, tmp_path):
    (tmp_path / "story").mkdir()
    (tmp_path / "mine.py").write_text("x = 1")
    for name in ("Mine", "mine", "Story"):
        result = run("new-film", name)
        assert result.exit_code == 1
        assert re.fullmatch(r"Error: \S+ is there already: choose another name\n", result.stderr)
    assert (tmp_path / "mine.py").read_text() == "x = 1"


@pytest.mark.parametrize("frame, theme", [("16:9", "light"), ("1:1", "dark"), ("9:16", "light")])
def test_a_new_film_is_clean_in_every_frame_and_theme(run, tmp_path, frame, theme):
    run("new-film", "Newborn")
    film = load(tmp_path / "newborn.py", "Newborn")
    look = PREVIEW.shaped(FRAMES[frame], THEMES[theme])
    assert_clean(film, ASSETS / "traces" / film.default_trace, quality=look)


def test_the_gallery_has_a_still_of_each_part_and_names_those_that_it_lacks(run, tmp_path, monkeypatch):
    run("new-film", "Newborn")
    monkeypatch.setattr(catalog, "films", lambda: {"Newborn": load(tmp_path / "newborn.py", "Newborn")})
    result = run("gallery", "-o", tmp_path / "gallery")
    assert result.exit_code == 1
    shown = {path.stem for path in (tmp_path / "gallery").iterdir()}
    assert {"Pool", "Tape", "Wires", "Question", "Takeaway", "Header", "Caption", "Badge"} == shown
    missing = result.stderr.strip().removeprefix("Error: no film shows: ").split(", ")
    assert set(missing) == set(parts()) - shown and "Code" in missing
    assert len(result.stdout.splitlines()) == len(shown) and "Newborn at " in result.stdout
    for name in shown:
        image = Image.open(tmp_path / "gallery" / f"{name}.png")
        assert image.width > 100 and len(image.convert("RGB").getcolors(1 << 20)) > 10


@pytest.mark.slow
def test_the_films_show_every_part(run, tmp_path):
    result = run("gallery", "-o", tmp_path / "gallery")
    assert result.exit_code == 0, result.stderr
    assert {path.stem for path in (tmp_path / "gallery").iterdir()} == set(parts())
