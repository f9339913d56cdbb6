"""A real farm of two workers that share no folder with who asks: the film is the one that is rendered here."""

import os
import subprocess
import sys
from functools import partial

import pytest

from scenes.draw.layout import SQUARE, UPRIGHT
from scenes.farm.crew import Crew
from scenes.farm.run import Run
from scenes.farm.task import Task, WorkersLost
from scenes.film.quality import Quality
from scenes.film.render import Wanted, render_film, render_films
from scenes.film.version import code_version
from tests.conftest import ROOT
from tests.farm.farm import Farm, installed
from tests.farm.films import MARK, Beats, Bridged, Deadly, rest
from tests.film.tiny import TINY, Reworded, TinyFilm

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return installed(tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="module")
def farm(tmp_path_factory, package):
    farm = Farm(tmp_path_factory.mktemp("farm"))
    try:
        for name in ("first", "second"):
            farm.hire(name, package, **{MARK: str(farm.folder / "killed")})
        yield farm
    finally:
        farm.end()


@pytest.fixture
def sent(monkeypatch):
    """Files that are sent to workers, as (worker, digest)."""
    from distributed import Client

    found, run = [], Client.run

    def spied(self, function, *words, **named):
        if function.__name__ == "keep":
            found.append((named["workers"][0], words[0]))
        return run(self, function, *words, **named)

    monkeypatch.setattr(Client, "run", spied)
    return found


def test_the_film_is_the_one_rendered_here(farm, two_requests, tmp_path, sent, capfd):
    here = render_film(TinyFilm, two_requests, TINY, media=tmp_path / "here", crew=Crew(1))
    seen = []
    crew = Crew(scheduler=farm.address)
    there = render_film(
        TinyFilm, two_requests, TINY, media=tmp_path / "there", crew=crew, progress=lambda *of: seen.append(of)
    )
    assert there.rendered == here.rendered == ("one", "two", "three")
    assert there.path.read_bytes() == here.path.read_bytes()
    clips = {clip.name: clip.read_bytes() for clip in (tmp_path / "here" / "sections" / "TinyFilm").iterdir()}
    assert clips == {clip.name: clip.read_bytes() for clip in (tmp_path / "there" / "sections" / "TinyFilm").iterdir()}
    assert seen[-1][0] == seen[-1][1] > 0 and len({done for done, _ in seen}) > 3, "as it is made"
    render_film(Reworded, two_requests, TINY, media=tmp_path / "there", crew=crew)
    assert len(sent) == len(set(sent)) and len({worker for worker, _ in sent}) == 2, "the trace once for each worker"
    assert farm.kept("first") == farm.kept("second") == [two_requests.name]
    assert capfd.readouterr().err == ""


def test_a_trace_within_the_film_travels_too(farm, two_requests, tmp_path):
    here = render_film(Bridged, two_requests, TINY, media=tmp_path / "here", crew=Crew(1))
    there = render_film(Bridged, two_requests, TINY, media=tmp_path / "there", crew=Crew(scheduler=farm.address))
    assert there.path.read_bytes() == here.path.read_bytes()
    assert "paging.jsonl.gz" in farm.kept("first") + farm.kept("second")


def test_a_worker_of_another_version_is_refused_by_name(farm, two_requests, tmp_path, capfd):
    other = installed(tmp_path / "other")
    with (other / "scenes" / "theme.py").open("a") as theme:
        theme.write("CHANGED = True\n")
    address = farm.hire("other", other)
    try:
        wanted, media = [Wanted(TinyFilm, TINY)], tmp_path / "there"
        _, sheet = render_films(wanted, two_requests, media=media, crew=Crew(scheduler=farm.address))
        said = capfd.readouterr().err
        assert len(said.splitlines()) == 1 and said.startswith(
            f"{address} is not used: its version is another: sources "
        )
        assert f", here {code_version()['sources']}" in said and "docs/render-farm.md" in said
        assert sheet.workers == 2 and address not in {span.worker for span in sheet.spans}
    finally:
        farm.dismiss("other")


def test_a_worker_without_the_project_is_refused_by_name(tmp_path, capfd):
    farm, others = Farm(tmp_path), tmp_path / "others"
    (others / "scenes").mkdir(parents=True)
    (others / "scenes" / "__init__.py").write_text("")
    try:
        address = farm.hire("bare", others)
        with pytest.raises(WorkersLost, match="no worker there is of this version"):
            Crew(scheduler=farm.address).hired(code_version)
        (said,) = capfd.readouterr().err.splitlines()
        assert said.startswith(f"{address} is not used: ")
    finally:
        farm.end()


def test_a_worker_that_is_killed_in_a_section_has_it_done_by_another(package, two_requests, tmp_path, capfd):
    here = render_film(Deadly, two_requests, TINY, media=tmp_path / "here", crew=Crew(1))
    folder = tmp_path / "farm"
    folder.mkdir()
    farm = Farm(folder)
    try:
        for name in ("first", "second"):
            farm.hire(name, package, **{MARK: str(folder / "killed")})
        there = render_film(Deadly, two_requests, TINY, media=tmp_path / "there", crew=Crew(scheduler=farm.address))
        assert (folder / "killed").exists()
        assert sorted(process.poll() is None for process in farm.processes.values()) == [False, True, True]
        assert there.path.read_bytes() == here.path.read_bytes()
        assert capfd.readouterr().err == ""
    finally:
        farm.end()


def test_all_are_at_work_while_any_is_left(farm, two_requests, tmp_path):
    """By the sheet of the run, of tasks that only wait: what else the machine does is not in it."""
    place = Crew(scheduler=farm.address).hired(code_version)
    run = Run(place)
    run.add(Task(partial(rest, 0.5), (), tmp_path / f"{number}.txt", 1.0, 0.5) for number in range(24))
    run.finish()
    place.close()
    assert len(list(tmp_path.glob("*.txt"))) == len(run.sheet.spans) == 24
    assert run.sheet.workers == 2 and run.sheet.busy(run.sheet.given_out) >= 0.9


def test_a_batch_of_films_and_frames_is_one_run(farm, two_requests, tmp_path):
    quality = Quality("small", 640, 360, 30)
    looks = [quality, quality.shaped(UPRIGHT), quality.shaped(SQUARE)]
    wanted = [Wanted(film, look) for film in (TinyFilm, Reworded, Beats, Deadly) for look in looks]
    (farm.folder / "killed").touch()
    films, sheet = render_films(wanted, two_requests, media=tmp_path, crew=Crew(scheduler=farm.address))
    assert len({film.path for film in films}) == len(wanted)
    assert len({span.worker for span in sheet.spans}) == 2 and len(sheet.spans) >= 3 * (3 + 3 + 2 + 3)
    assert sheet.busy(sheet.given_out) >= 0.9


def test_who_stops_leaves_the_farm_free(farm, two_requests, tmp_path):
    def stop(done, total):
        if done:
            raise KeyboardInterrupt

    crew = Crew(scheduler=farm.address)
    with pytest.raises(KeyboardInterrupt):
        render_film(TinyFilm, two_requests, TINY, media=tmp_path, crew=crew, progress=stop)
    assert not list(tmp_path.rglob("films/*")) and not [one for one in tmp_path.rglob(".*") if one.is_file()]
    assert render_film(TinyFilm, two_requests, TINY, media=tmp_path, crew=crew).path.is_file()


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense", "http://127.0.0.1:9"])
def test_an_address_where_no_scheduler_is_ends_in_a_line(address, two_requests, tmp_path):
    words = ["render", "PrefixCache", "--trace", str(two_requests), "--scheduler", address, "--quality", "preview"]
    done = subprocess.run(
        [sys.executable, "-m", "scenes", *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(f"Error: {address}: no Dask scheduler answers (")
    assert not list(tmp_path.rglob("*.mp4"))
