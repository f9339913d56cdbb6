"""`export` as it is typed: what it writes, what it refuses, and that it leaves nothing half written."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from astrai_sim.exports import FORMS, export, perfetto, tables
from astrai_sim.tools.cli import main
from astrai_sim.trace import Trace
from tests.hostile.traces import corpus
from tests.trace.recording import crowd, encoded, lines_of, recorded, written

pytest.importorskip("perfetto")
pytest.importorskip("pyarrow")


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Trace:
    return recorded(crowd(), tmp_path_factory.mktemp("full") / "run.jsonl")


def written_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("form", FORMS)
def test_it_says_where_it_wrote(full, tmp_path, form):
    output = tmp_path / "new" / "run"
    done = run("export", full.path, "--to", form, "-o", output)
    assert done.exit_code == 0 and done.output == f"{output}\n"
    if form == "perfetto":
        assert written_in(output.parent) == ["run"]
    else:
        assert written_in(output) == sorted(f"{table.name}.{form}" for table in tables.TABLES)
    again = run("export", full.path, "--to", form, "-o", output)
    assert again.exit_code == 0 and written_in(tmp_path) == written_in(tmp_path)


def refused(done: Result, told: str) -> None:
    assert done.exit_code == 1 and told in done.output and len(done.output.splitlines()) == 1, done.output


@pytest.mark.parametrize("form", FORMS)
def test_a_trace_that_is_not_true_to_its_digest_is_not_exported(full, tmp_path, form):
    lines = lines_of(full)
    lines[5] = {**lines[5], "ns": lines[5]["ns"] + 1}
    (tmp_path / "lie.jsonl").write_bytes(b"".join(map(encoded, lines)))
    done = run("export", tmp_path / "lie.jsonl", "--to", form, "-o", tmp_path / "out")
    refused(done, f"lie.jsonl:{len(lines)}: the digest is ")
    assert written_in(tmp_path) == ["lie.jsonl"]


@pytest.mark.parametrize("form", FORMS)
def test_what_cannot_be_replayed_is_said_with_its_line(full, tmp_path, form):
    """An event of a request that was never submitted, in a recording that was cut short behind it."""
    lines = lines_of(full)
    at = next(i for i, line in enumerate(lines) if line.get("event") == "task_admitted")
    lines[at] = {**lines[at], "task": "nobody"}
    path = tmp_path / "lie.jsonl"
    path.write_bytes(written(lines[:-1]).content)
    done = run("export", path, "--to", form, "-o", tmp_path / "out")
    refused(done, f"lie.jsonl:{at + 1}: event ")
    assert written_in(tmp_path) == ["lie.jsonl"]


@pytest.mark.parametrize("form", FORMS)
def test_where_it_cannot_write_it_says_so(full, tmp_path, form):
    (tmp_path / "file").write_text("mine")
    refused(run("export", full.path, "--to", form, "-o", tmp_path / "file" / "out"), "file/out: cannot be written: ")
    assert written_in(tmp_path) == ["file"]
    if form == "perfetto":
        (tmp_path / "folder").mkdir()
        refused(run("export", full.path, "--to", form, "-o", tmp_path / "folder"), "folder: cannot be written: ")
        assert written_in(tmp_path) == ["file", "folder"]
    else:
        refused(run("export", full.path, "--to", form, "-o", tmp_path / "file"), "file: cannot be written: ")
        assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("form", FORMS)
def test_what_was_there_stays_where_it_fails(full, tmp_path, form, monkeypatch):
    output = tmp_path / "out"
    export(full, form, output)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    where = perfetto.Lives if form == "perfetto" else tables.Lives
    monkeypatch.setattr(where, "follow", full_disk)
    refused(run("export", full.path, "--to", form, "-o", output), "out: cannot be written: No space left on device")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(("form", "package"), [("perfetto", "perfetto"), ("parquet", "pyarrow")])
def test_a_package_that_is_missing_is_named(full, tmp_path, form, package, monkeypatch):
    import importlib

    real = importlib.import_module

    def without(name: str, *rest: str) -> object:
        if name.split(".")[0] == package:
            raise ModuleNotFoundError(f"No module named {package!r}", name=package)
        return real(name, *rest)

    monkeypatch.setattr(importlib, "import_module", without)
    done = run("export", full.path, "--to", form, "-o", tmp_path / "out")
    refused(done, f"{package} is not installed: pip install -e '.[export]'")
    assert written_in(tmp_path) == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("export", "x.jsonl", "-o", "y"), "Missing option '--to'"),
        (("export", "x.jsonl", "--to", "csv"), "Missing option '-o'"),
        (("export", "x.jsonl", "--to", "xml", "-o", "y"), "'xml' is not one of 'perfetto', 'parquet', 'csv'"),
    ],
)
def test_wrong_usage_is_a_line(words, told):
    done = run(*words)
    assert done.exit_code == 2 and told in done.output and len(done.output.splitlines()) == 1


@pytest.mark.parametrize("form", FORMS)
def test_hostile_traces_are_written_or_refused(full, tmp_path, form):
    (tmp_path / "made").mkdir()
    for path in corpus(full, tmp_path / "made"):
        output = tmp_path / f"{path.stem}.out"
        done = run("export", path, "--to", form, "-o", output)
        assert isinstance(done.exception, SystemExit | None), (path, done.exception)
        assert output.exists() == (done.exit_code == 0), path
        assert done.exit_code == 0 or len(done.output.splitlines()) == 1, (path, done.output)
        assert not {"\x1b", "\x00", "\x07"} & set(done.output)
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(".")]
