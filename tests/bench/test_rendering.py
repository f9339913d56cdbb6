"""What rendering costs is measured on films as they are rendered."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner

from scenes.cli import main
from scenes.film import bench
from scenes.film.catalog import films
from scenes.film.quality import PREVIEW


@pytest.mark.slow
@pytest.mark.parametrize("whole", [(), ("--whole",)])
def test_a_film_is_measured(whole):
    film = "Fragmentation"
    done = CliRunner().invoke(main, ["bench", film, "--quality", "preview", *whole], env={"COLUMNS": "140"})
    assert done.exit_code == 0, done.output
    row = next(line for line in done.output.splitlines() if film in line)
    seconds, wall, cpu, like, slow, size = map(float, re.findall(r"\d+\.\d+", row))
    assert 60 <= seconds <= 100 and min(wall, cpu) > 0
    assert 0.99 < like < 1 and 0.99 < slow < 1 and 0.5 < size < 3
    assert ("all" in row) is bool(whole)


def test_what_rendering_says_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("ASTRAI_TRACE", str(tmp_path / "none.jsonl"))
    with pytest.raises(bench.CannotMeasure, match="none.jsonl: cannot be read"):
        bench.cost(films()["Fragmentation"], PREVIEW)
