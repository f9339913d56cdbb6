"""What a user can get wrong with films ends in one line, and leaves nothing half written."""

import errno
import os
import resource
import subprocess
import sys

import pytest
from click.testing import CliRunner
from PIL import Image

from scenes.cli import main
from scenes.film import catalog, gif
from scenes.film.batch import Batch
from scenes.film.quality import QUALITIES
from scenes.film.scene import ASSETS
from tests.film.test_join import clip
from tests.film.tiny import TINY, TinyFilm

PACKAGES = ("manim", "PIL", "av", "pygments", "pysubs2", "uharfbuzz", "coloraide")
WANTED_LATE = {"coloraide": ["lint", "PrefixCache"]}
"""Commands that alone want a package."""
FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture
def run(monkeypatch, tmp_path, two_requests):
    """Runs a command and gives its one line: exit code 2 for usage, 1 for data, no file left."""
    monkeypatch.setattr(catalog, "films", lambda: {"TinyFilm": TinyFilm})
    monkeypatch.setenv("ASTRAI_TRACE", str(two_requests))
    monkeypatch.chdir(tmp_path)
    clip(tmp_path / "film.mp4", range(0, 200, 10))
    (tmp_path / "file").write_text("no folder")

    def one_line(code, *words):
        before = films_and_pictures(tmp_path)
        done = CliRunner().invoke(main, [str(word) for word in words])
        assert isinstance(done.exception, SystemExit), done.exception
        assert (done.exit_code, done.stdout) == (code, "")
        assert films_and_pictures(tmp_path) == before
        (line,) = done.stderr.splitlines()
        return line.removeprefix("Error: ")

    return one_line


def films_and_pictures(folder):
    """All files, and folders with work that was left; clips that are whole may stay for the next time."""
    found = {path for path in folder.rglob("*") if path.is_file() or path.name.startswith(".")}
    return found - set(folder.glob("media/sections/TinyFilm/[!.]*"))


@pytest.mark.parametrize("place", ["file", "file/deeper", "/proc/x"])
@pytest.mark.parametrize("command", ["sheet", "gif", "stills", "still", "gallery", "render"])
def test_a_folder_that_cannot_be_written(run, command, place):
    words = {
        "sheet": ["TinyFilm", "--from", "film.mp4", "--frames", 2, "-o", f"{place}/x.png"],
        "gif": ["TinyFilm", "--from", "film.mp4", "--seconds", 1, "-o", f"{place}/x.gif"],
        "stills": ["TinyFilm", "--at", "0", "--size", "90p", "-o", f"{place}/x.png"],
        "still": ["TinyFilm", "--at", "0", "--size", "90p", "-o", place],
        "gallery": ["-o", place],
        "render": ["TinyFilm", "-o", f"{place}/x.mp4"],
    }[command]
    usage = command == "gallery" and place == "file"
    line = run(2 if usage else 1, command.replace("still", "stills").replace("ss", "s"), *words)
    assert place in line or "'file'" in line or line.startswith(("file: Not a directory", "/proc"))
    assert usage or line.endswith("choose a place where files can be written")


def test_nothing_is_rendered_where_the_film_cannot_be_written(run, monkeypatch):
    monkeypatch.setattr(Batch, "add", pytest.fail)
    assert run(1, "render", "TinyFilm", "-o", "file/x.mp4").startswith("file/x.mp4: Not a directory")


@pytest.mark.parametrize("command", ["sheet", "gif"])
def test_what_is_no_video(run, tmp_path, command):
    (tmp_path / "text.mp4").write_text("this is no film")
    (tmp_path / "cut.mp4").write_bytes((tmp_path / "film.mp4").read_bytes()[:900])
    Image.new("RGB", (64, 64)).save(tmp_path / "picture.png")
    for name in ("text.mp4", "cut.mp4", "picture.png"):
        assert run(1, command, "TinyFilm", "--from", name).startswith(f"{name} is no video")
    assert "nowhere.mp4" in run(2, command, "TinyFilm", "--from", "nowhere.mp4")


def test_a_start_past_the_end(run):
    line = run(1, "gif", "TinyFilm", "--from", "film.mp4", "--start", "2")
    assert "nothing is there at 1.95 s" in run(1, "gif", "TinyFilm", "--from", "film.mp4", "--start", "1.95")
    assert line == "film.mp4 ends after 2.00 s: nothing is there at 2 s, start before"
    assert "-1" in run(2, "gif", "TinyFilm", "--from", "film.mp4", "--start", "-1")


@pytest.mark.parametrize("command, suffix", [("sheet", ".png"), ("gif", ".gif"), ("render", ".mp4")])
def test_a_file_of_another_format(run, command, suffix):
    assert f"name it x{suffix}" in run(2, command, "TinyFilm", "-o", "x.tiff")


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_that_is_not_installed(package, tmp_path):
    """As if it were not, in a process of its own; what the packages need in turn counts too."""
    program = f"import runpy, sys; sys.modules[{package!r}] = None; runpy.run_module('scenes', run_name='__main__')"
    words = WANTED_LATE.get(package, [])
    done = subprocess.run([sys.executable, "-c", program, *words], cwd=ASSETS.parent, capture_output=True, text=True)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr == f"Error: {package} is not installed: pip install -e '.[film]'\n"


def test_a_full_disk_while_clips_are_joined_or_pictures_written(run, monkeypatch, tmp_path):
    def full(*words, **more):
        raise OSError(FULL.errno, FULL.strerror)

    monkeypatch.setattr(gif, "_encode", full)
    monkeypatch.setattr(Image.Image, "save", full)
    line = "No space left on device: free some space"
    assert run(1, "gif", "TinyFilm", "--from", "film.mp4", "-o", "x.gif") == f"x.gif: {line}"
    assert run(1, "sheet", "TinyFilm", "--from", "film.mp4", "-o", "x.png") == f"x.png: {line}"
    assert run(1, "stills", "TinyFilm", "--at", "0", "--size", "90p", "-o", "stills") == f"stills/0000.000.png: {line}"


@pytest.fixture
def largest():
    """Limits the size of files that are written, here and in processes that are started: a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_while_a_film_is_rendered_and_joined(run, monkeypatch, tmp_path, largest):
    monkeypatch.setitem(QUALITIES, "preview", TINY)
    words = ("render", "TinyFilm", "--quality", "preview", "--quiet", "--processes", 2)
    largest(2000)
    line = run(1, *words)
    assert line.startswith("media/sections/TinyFilm/") and ".mp4: File too large: free some space" in line
    clips = tmp_path / "media" / "sections" / "TinyFilm"
    assert not list(clips.iterdir())
    largest(resource.RLIM_INFINITY)
    assert CliRunner().invoke(main, [str(word) for word in words]).exit_code == 0
    (film,) = tmp_path.glob("media/films/*.mp4")
    whole = film.read_bytes()
    film.unlink()
    largest(max(clip.stat().st_size for clip in clips.iterdir()) + 1)
    assert run(1, *words) == f"{film.relative_to(tmp_path)}: File too large: free some space"
    largest(resource.RLIM_INFINITY)
    next(clips.iterdir()).write_bytes(b"broken")
    assert CliRunner().invoke(main, [str(word) for word in words]).exit_code == 0
    assert film.read_bytes() == whole
