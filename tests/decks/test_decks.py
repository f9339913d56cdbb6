"""Decks of talks and films: what a TALK.toml chooses, PowerPoint's form, and that of manim-slides."""

import json
import shutil
import subprocess
import sys
import zipfile

import av
import pytest
from click.testing import CliRunner
from pptx import Presentation

from astrai_sim.files import FileError
from scenes.cli import main
from scenes.decks.deck import Item, Talk, make_deck, of_films, read_talk
from scenes.decks.manim_slides import write_folder
from scenes.decks.pptx import write_pptx
from scenes.film import catalog
from tests.film.tiny import TINY, TinyFilm

SOFFICE = shutil.which("soffice")


@pytest.fixture(autouse=True)
def films(monkeypatch, two_requests):
    monkeypatch.setattr(catalog, "films", lambda: {"TinyFilm": TinyFilm})
    monkeypatch.setenv("ASTRAI_TRACE", str(two_requests))


@pytest.fixture(scope="module")
def media(tmp_path_factory):
    return tmp_path_factory.mktemp("media")


@pytest.fixture
def deck(media, tmp_path):
    slides = (
        Item(title="Where words live", text="a tour\nin two lines"),
        Item(film="TinyFilm", sections=("one", "three"), loop=True),
        Item(film="TinyFilm", beats=("two-1",), notes="My own words."),
        Item(film="TinyFilm", sections=("one",)),
    )
    return make_deck(Talk(title="My talk", slide=slides), tmp_path, TINY, media)


def test_a_talk_has_what_it_chose_in_its_order(deck):
    assert [slide.title for slide in deck.slides] == [
        "Where words live",
        "Part one",
        "Part three",
        "Part two",
        "Part one",
    ]
    assert [slide.looped for slide in deck.slides] == [False, True, True, False, False]
    assert [slide.notes for slide in deck.slides] == ["", "First.", "Third.", "My own words.", "First."]
    assert deck.slides[1].video == deck.slides[4].video
    assert all(slide.last.is_file() and slide.first.is_file() for slide in deck.slides[1:])


def test_films_give_a_slide_for_each_beat_or_section(media, tmp_path):
    for sections in (False, True):
        made = make_deck(of_films(["TinyFilm"], sections), tmp_path, TINY, media)
        assert [slide.title for slide in made.slides] == ["Part one", "Part two", "Part three"]


def test_powerpoint(deck, tmp_path):
    write_pptx(deck, tmp_path / "talk.pptx")
    pages = Presentation(str(tmp_path / "talk.pptx")).slides
    assert len(pages) == len(deck.slides)
    assert [page.has_notes_slide for page in pages] == [False, True, True, True, True]
    assert pages[3].notes_slide.notes_text_frame.text == "My own words."
    assert "Where words live" in pages[0].shapes[0].text_frame.text
    assert (
        pages[1].shapes[0].name == "Part one"
        and pages[1].shapes[0].width == Presentation(str(tmp_path / "talk.pptx")).slide_width
    )
    with zipfile.ZipFile(tmp_path / "talk.pptx") as content:
        assert sum(name.endswith(".mp4") for name in content.namelist()) == 3
    write_pptx(deck, tmp_path / "plain.pptx", notes=False)
    assert not any(page.has_notes_slide for page in Presentation(str(tmp_path / "plain.pptx")).slides)


def test_manim_slides_folder(deck, tmp_path):
    page, *files = write_folder(deck, tmp_path / "talk", TINY.fps)
    told = json.loads(page.read_text())
    assert page.name == "Mytalk.json" and told["resolution"] == [TINY.width, TINY.height]
    assert [slide["loop"] for slide in told["slides"]] == [slide.looped for slide in deck.slides]
    for slide in told["slides"]:
        ahead, back = (tmp_path / slide[key] for key in ("file", "rev_file"))
        shades = [
            [f.to_ndarray(format="gray").mean() for f in av.open(str(path)).decode(video=0)] for path in (ahead, back)
        ]
        assert shades[0] == pytest.approx(shades[1][::-1], abs=2)
    assert len(files) == 8


@pytest.mark.slow
def test_the_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "talk.toml").write_text(
        '[[slide]]\ntitle = "Hello"\n[[slide]]\nfilm = "TinyFilm"\nsections = ["one"]\n'
    )
    for output in ("talk.html", "talk.pptx", "folder"):
        done = CliRunner().invoke(main, ["slides", "talk.toml", "-o", output, "--size", "180p", "--fps", "10"])
        assert done.exit_code == 0, done.stderr
        assert "2 slides" in done.stderr and output in done.stdout


@pytest.mark.parametrize(
    "text, says",
    [
        ("slide = 3", "talk.toml:1: Expected `array`, got `int`"),
        ("", "it has no [[slide]]"),
        ("[[slide]]\ntext = 'x'", "talk.toml:1: a slide has a film or a title of its own"),
        (
            "title = 'a'\n\n[[slide]]\ntitle = 'x'\n[[slide]]\nfilm = 'TinyFlim'",
            "talk.toml:5: no film is called 'TinyFlim'",
        ),
        ("[[slide]]\ntitle = 'x'\n[[slide]]\nflim = 'TinyFilm'", "talk.toml:3: Object contains unknown field `flim`"),
        ("[[slide]]\nfilm = 'TinyFilm'\ntrace = 'no.jsonl'", "talk.toml:1: no trace no.jsonl lies beside it"),
        ("theme = 'pink'\n[[slide]]\ntitle = 'x'", "talk.toml:1: no theme is called 'pink': choose from dark, light"),
        ("[[slide", "talk.toml:1: Expected"),
        (
            "[[slide]]\nfilm = 'TinyFilm'\nsections = ['one']\nbeats = ['two-1']",
            "talk.toml:1: give sections or beats of a film",
        ),
    ],
)
def test_what_is_wrong_with_a_talk_is_said_with_its_line(tmp_path, monkeypatch, text, says):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "talk.toml"
    path.write_text(text)
    with pytest.raises(FileError):
        read_talk(path)
    done = CliRunner().invoke(main, ["slides", "talk.toml", "-o", "talk.html"])
    assert done.exit_code == 1 and done.stderr.count("\n") == 1 and says in done.stderr
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "words, says",
    [
        (["TinyFilm", "-o", "talk.pdf"], "name it talk.html, talk.pptx or a folder"),
        (["TinyFlim", "-o", "talk.html"], "did you mean TinyFilm?"),
        (["TinyFilm", "talk.toml", "-o", "talk.html"], "give it alone"),
        (["TinyFilm", "--beside", "-o", "talk.pptx"], "--beside is for a page"),
        (["TinyFilm", "--no-notes", "-o", "talk.html"], "--no-notes for a deck in .pptx"),
    ],
)
def test_wrong_usage(tmp_path, monkeypatch, words, says):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["slides", *words])
    assert done.exit_code == 2 and done.stderr.count("\n") == 1 and says in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed")
def test_libreoffice_opens_a_deck_of_sixty_clips(deck, tmp_path):
    many = type(deck)(deck.title, deck.slides * 12, deck.width, deck.height, deck.ground, deck.ink)
    write_pptx(many, tmp_path / "talk.pptx")
    words = [SOFFICE, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), str(tmp_path / "talk.pptx")]
    subprocess.run(
        words, check=True, capture_output=True, timeout=240, env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    )
    content = (tmp_path / "talk.pdf").read_bytes()
    assert content.count(b"/Type/Page/") + content.count(b"/Type/Page\n") + content.count(b"/Type /Page\n") == 60


@pytest.mark.slow
def test_manim_slides_takes_the_folder(deck, tmp_path):
    """In an environment of its own, since it asks for other versions of what films need."""
    write_folder(deck, tmp_path / "talk", TINY.fps)
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", "manim-slides==5.7.*"], check=True, capture_output=True)
    words = [python, "-m", "manim_slides", "convert", "--folder", "talk", "Mytalk", "out.html"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "out.html").read_text().count("<section") == len(deck.slides)
