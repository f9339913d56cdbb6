"""Films are rendered from Python as from the command line: in a script, and in a notebook."""

import base64
import os
import subprocess
import sys

import av
import nbclient
import nbformat
import pytest

from scenes import render
from tests.conftest import ROOT

UNGUARDED = """
from scenes import render
from scenes.film import quality
from tests.film.tiny import TINY, TinyFilm

quality.QUALITIES["tiny"] = TINY
film = render(TinyFilm, {trace!r}, "tiny.mp4", quality="tiny", processes=2)
print(film.path, len(film.rendered), film._repr_html_())
"""
OWN = """
from scenes import render
from tests.film.tiny import TinyFilm

class Own(TinyFilm):
    pass

render(Own, {trace!r})
"""


def run(folder, text, trace):
    script = folder / "script.py"
    script.write_text(text.format(trace=str(trace)))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, script], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_a_script_needs_no_guard(tmp_path, two_requests):
    done = run(tmp_path, UNGUARDED, two_requests)
    assert done.returncode == 0, done.stderr
    path, rendered, html = done.stdout.strip().split(" ", 2)
    assert (path, rendered) == ("tiny.mp4", "3")
    video = html.partition("base64,")[2].partition('"')[0]
    assert base64.b64decode(video) == (tmp_path / "tiny.mp4").read_bytes()
    with av.open(str(tmp_path / "tiny.mp4")) as container:
        assert container.streams.video[0].width == 320


def test_a_film_of_the_script_itself_is_refused_in_one_line(tmp_path, two_requests):
    done = run(tmp_path, OWN, two_requests)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(
        "CannotJoin: Own is defined in the script that runs: put it into a module and import it"
    )


@pytest.mark.parametrize(
    "film, looks, said",
    [
        ("PrefixCash", {}, "no film is called 'PrefixCash', did you mean"),
        ("PrefixCache", {"quality": "best"}, "no quality is called 'best': choose one of final, preview"),
        ("PrefixCache", {"frame": "4:3"}, "no frame is called '4:3': choose one of 16:9, 1:1, 9:16"),
        ("PrefixCache", {"theme": "blue"}, "no theme is called 'blue': choose one of dark, light"),
    ],
)
def test_what_is_not_there_is_named(film, looks, said):
    with pytest.raises((LookupError, ValueError), match=said):
        render(film, **looks)


@pytest.mark.slow
def test_the_notebook_of_the_docs_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.read(ROOT / "docs" / "notebook.ipynb", as_version=4)
    nbclient.NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown, listed = (cell.outputs for cell in notebook.cells if cell.cell_type == "code")
    assert shown[-1]["data"]["text/html"].startswith("<video controls")
    assert listed[0]["text"].splitlines()[-1] == "media/films/PrefixSharing-preview.mp4"
