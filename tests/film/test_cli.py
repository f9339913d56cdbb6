"""The commands do what they say, and fail in one line."""

import json
import re

import pytest
from click.testing import CliRunner

from scenes.cli import main
from scenes.film import catalog
from scenes.film.quality import FINAL, PREVIEW
from scenes.film.render import film_path
from scenes.film.scene import ASSETS
from scenes.story.errors import DoesNotApply
from tests.film.tiny import Hasty, TinyFilm


@pytest.fixture
def run(monkeypatch, tmp_path, two_requests):
    known = {"TinyFilm": TinyFilm, "Hasty": Hasty}
    monkeypatch.setattr(catalog, "films", lambda: known)
    monkeypatch.setenv("ASTRAI_TRACE", str(two_requests))
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(main, [str(a) for a in arguments])


def test_list(run):
    result = run("list")
    assert result.exit_code == 0
    assert "TinyFilm" in result.stdout and "The pool in three sections." in result.stdout
    assert "length" not in result.stdout and "promo.jsonl.gz" in result.stdout
    assert "0:0" in run("list", "--lengths").stdout
    rows = json.loads(run("list", "--json").stdout)
    assert [row["film"] for row in rows] == ["TinyFilm", "Hasty"]


def test_list_says_which_films_apply_to_a_trace_and_why_the_others_do_not(run, two_requests, monkeypatch):
    def nothing(trace):
        raise DoesNotApply("Hasty needs more [haste]")

    monkeypatch.setattr(Hasty, "tell", nothing)
    rows = json.loads(run("list", "--json", "--trace", two_requests).stdout)
    assert [row["applies"] for row in rows] == ["yes", "no"] and rows[1]["shows"] == "Hasty needs more [haste]"
    assert "[haste]" in run("list", "--trace", two_requests).stdout


def test_check(run):
    result = run("check", "TinyFilm")
    assert result.exit_code == 0
    assert "no differences in" in result.stderr
    assert re.search(r"vouched for: (\d+) of \1 labels", result.stderr)
    assert "between beats: " in result.stderr


def test_lint_names_time_section_rule_and_mobject(run):
    result = run("lint", "Hasty")
    assert result.exit_code == 1
    line = next(line for line in result.stdout.splitlines() if "caption-time" in line)
    assert "[one] caption-time: Caption 'A caption that nobody" in line
    assert line[0].isdigit()


def test_unknown_film(run):
    result = run("lint", "Nonesuch")
    assert result.exit_code == 2
    assert "no film is called 'Nonesuch': choose one of TinyFilm, Hasty" in result.stderr
    result = run("lint", "tinyflm")
    assert "no film is called 'tinyflm', did you mean TinyFilm?" in result.stderr and result.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["x.webm", "x.mov", "x.gif", "x"])
def test_a_film_of_another_format_is_refused(run, name, tmp_path):
    result = run("render", "TinyFilm", "-o", tmp_path / name)
    assert result.exit_code == 2 and "does not end in .mp4: name it x.mp4" in result.stderr
    assert not list(tmp_path.iterdir())


def test_a_film_of_another_trace_has_its_name(two_requests):
    assert film_path(TinyFilm, FINAL, trace="/other/mine.v2.jsonl.gz").name == "TinyFilm-mine.v2.mp4"
    assert film_path(TinyFilm, PREVIEW, trace=ASSETS / "traces" / TinyFilm.default_trace).name == "TinyFilm-preview.mp4"


def test_missing_trace(run):
    result = run("check", "TinyFilm", "--trace", "nowhere.jsonl")
    assert result.exit_code == 2
    assert "nowhere.jsonl" in result.stderr


@pytest.mark.parametrize("command", ["lint", "check", "render"])
def test_file_that_is_no_trace(run, tmp_path, command):
    (tmp_path / "wrong.jsonl").write_text("this is no trace\n")
    result = run(command, "TinyFilm", "--trace", "wrong.jsonl")
    assert result.exit_code == 1
    assert result.stderr.strip().splitlines()[-1].startswith("Error: wrong.jsonl")
    assert not (tmp_path / "media").exists()


def test_sheet_of_a_film_not_yet_rendered(run):
    result = run("sheet", "TinyFilm")
    assert result.exit_code == 1
    assert "render it with `make film FILM=TinyFilm`" in result.stderr


def test_render_wants_one_film_or_all(run):
    assert "name one film, or give --all" in run("render").stderr
    assert "name one film, or give --all" in run("render", "TinyFilm", "--all").stderr
