"""Stills are drawn where they are asked for, and set beside those of another commit."""

import subprocess

import pytest
from click.testing import CliRunner
from PIL import Image, ImageDraw

from scenes.cli import main
from scenes.film import catalog, revision
from scenes.film.rehearsal import rehearse
from scenes.film.revision import differing
from scenes.film.sheet import GAP, LINE
from tests.film.tiny import TinyFilm

DRAWS = """
import sys
from pathlib import Path
from PIL import Image
words = sys.argv[1:]
folder = Path(words[words.index("-o") + 1])
folder.mkdir(exist_ok=True)
assert words[0] == "stills" and "--within" in words
for time in map(float, words[words.index("--at") + 1].split(",")[:1]):
    Image.new("RGBA", (320, 180), "white").save(folder / f"{time:08.3f}.png")
    print(f"{time:.3f} one 0123456789ab")
"""


@pytest.fixture
def run(monkeypatch, tmp_path, two_requests):
    monkeypatch.setattr(catalog, "films", lambda: {"TinyFilm": TinyFilm})
    monkeypatch.setenv("ASTRAI_TRACE", str(two_requests))
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(main, ["stills", "TinyFilm", "--size", "180p", *map(str, words)])


@pytest.fixture
def history(monkeypatch, tmp_path):
    """A repository with two commits: one without the command, and one whose stills are white."""
    folder = tmp_path / "history"
    (folder / "scenes").mkdir(parents=True)
    (folder / "scenes" / "__init__.py").touch()
    monkeypatch.setattr(revision, "CHECKOUT", folder)

    def git(*words):
        who = ["-c", "user.name=Nobody", "-c", "user.email=nobody@localhost"]
        return subprocess.run(["git", "-C", folder, *who, *words], check=True, capture_output=True, text=True).stdout

    git("init", "-q")
    main_file = folder / "scenes" / "__main__.py"
    for text, tag in (("import sys; sys.exit(\"Error: No such command 'stills'.\")", "old"), (DRAWS, "new")):
        main_file.write_text(text)
        git("add", "-A")
        git("commit", "-qm", tag)
        git("tag", tag)
    return git


def lines(result):
    assert result.exit_code == 0, result.stderr
    return [line.split() for line in result.stdout.splitlines()]


def test_a_file_for_each_moment(run, tmp_path):
    assert run("--at", "0.31,0", "-o", "out").exit_code == 0
    files = sorted((tmp_path / "out").iterdir())
    assert [file.name for file in files] == ["0000.000.png", "0000.310.png"]
    first, second = (Image.open(file) for file in files)
    assert first.size == (320, 180)
    assert differing(first, second)


def test_a_sheet_has_a_place_for_every_still(run, tmp_path, two_requests):
    assert run("--every", 1, "--columns", 3, "--width", 160, "-o", "sheet.png").exit_code == 0
    rows = -(-int(rehearse(TinyFilm, two_requests).seconds + 1) // 3)
    assert Image.open(tmp_path / "sheet.png").size == (3 * (160 + GAP) + GAP, rows * (90 + LINE + GAP) + GAP)


def test_digests_are_those_of_the_picture(run):
    every = lines(run("--every", 0.2, "--digests"))
    assert [row[0] for row in every] == [f"{i * 0.2:.3f}" for i in range(len(every))]
    assert {row[1] for row in every} == {"one", "two", "three"}
    chosen = lines(run("--at", "0.4,2.6", "--digests"))
    assert chosen == [row for row in every if row[0] in ("0.400", "2.600")]
    assert len({row[2] for row in every}) > 10


def test_beats_are_drawn_at_their_ends(run, two_requests):
    rows = lines(run("--beats", "--digests"))
    assert [row[1] for row in rows] == ["one", "two", "three"]
    ends = lines(run("--at", ",".join(row[0] for row in rows), "--digests"))
    assert [row[2] for row in ends] == [row[2] for row in rows]


def test_the_last_moment_is_the_last_picture(run, two_requests):
    length = rehearse(TinyFilm, two_requests).seconds
    ((_, section, _),) = lines(run("--at", length, "--digests"))
    assert section == "three"
    late = run("--at", f"1,{length + 1}", "-o", "out")
    assert late.exit_code == 1
    assert late.stderr == f"Error: TinyFilm ends after {length:.2f} s: there is no still at {length + 1:g} s\n"
    assert len(lines(run("--at", f"1,{length + 1}", "--within", "--digests"))) == 1


@pytest.mark.parametrize(
    "words, said",
    [
        (["-o", "out"], "one of --at, --every and --beats"),
        (["--at", "1", "--beats", "-o", "out"], "one of --at, --every and --beats"),
        (["--at", "1"], "say with -o where to"),
        (["--at", "1;2", "-o", "out"], "'1;2' is no list of film seconds"),
        (["--at", "-1", "-o", "out"], "'-1' is no list of film seconds"),
        (["--at", "nan", "-o", "out"], "'nan' is no list of film seconds"),
        (["--at", "1", "--size", "99p", "-o", "out"], "'99p' is no size"),
        (["--at", "1", "-o", "taken/out"], "taken/out: Not a directory"),
        (["--at", "1", "-o", "taken"], "taken: Not a directory"),
        (["--at", "1", "--diff", "nothing", "-o", "out"], "'nothing' is no commit of this project"),
        (["--at", "1", "--diff", "old", "-o", "out"], "old: it has no command `stills`: choose a later commit"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_one_line(run, tmp_path, history, words, said):
    (tmp_path / "taken").touch()
    result = run(*words)
    assert result.exit_code in (1, 2)
    assert said in result.stderr.splitlines()[-1]
    assert not any((tmp_path / "out").glob("*"))


def test_another_commits_stills_stand_beside(run, history, tmp_path):
    result = run("--at", "0.3,0.9", "--diff", "new", "-o", "out")
    assert result.exit_code == 0, result.stderr
    assert result.stderr == "2 of 2 stills differ from new\n"
    both = Image.open(tmp_path / "out" / "0000.300.png").convert("RGB")
    assert both.size == (640, 180)
    assert both.getpixel((480, 90)) == (255, 255, 255) != both.getpixel((160, 90))
    assert len(history("worktree", "list").splitlines()) == 1


def test_places_that_differ_are_found():
    one = Image.new("RGBA", (100, 60))
    other = one.copy()
    assert differing(one, other) == []
    ImageDraw.Draw(other).rectangle((17, 1, 40, 3), fill="red")
    ImageDraw.Draw(other).point((99, 59), fill="red")
    assert sorted(differing(one, other)) == [(16, 0, 47, 15), (96, 48, 99, 59)]


@pytest.mark.slow
def test_the_same_code_draws_the_same(tmp_path, two_requests):
    words = ["stills", "PrefixCache", "--trace", str(two_requests), "--beats", "--size", "180p", "--diff", "HEAD"]
    result = CliRunner().invoke(main, [*words, "-o", str(tmp_path / "sheet.png")])
    assert result.exit_code == 0 and " stills differ from HEAD" in result.stderr
