"""A run gives out the dearest task first, keeps its sheet, and stops where a task fails."""

import json
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from astrai_sim.extras import MissingExtra
from scenes.farm import cluster
from scenes.farm.costs import Costs
from scenes.farm.crew import Crew
from scenes.farm.local import Local
from scenes.farm.run import Run, Sheet, Span
from scenes.farm.task import Done, Input, Task, WorkersLost
from scenes.film.render import render_film
from scenes.film.version import code_version
from tests.farm import films
from tests.farm.films import Beats, rest
from tests.film.tiny import TINY


class Threads:
    """A place of two threads; the first answer for what `again` names is that it lacked something."""

    def __init__(self, again=()):
        self.executor = ThreadPoolExecutor(2)
        self.begun, self.again, self.stopped = [], set(again), False

    def workers(self):
        return 2

    def limit(self, tasks):
        pass

    def submit(self, number, task):
        self.begun.append(task.output.name)

        def do():
            began = time.monotonic()
            task.work({}, task.output)
            return Done(threading.current_thread().name, time.monotonic() - began)

        return self.executor.submit(do)

    def taken(self, task, future):
        done = future.result()
        if task.output.name in self.again:
            self.again.remove(task.output.name)
            return None
        return done

    def reports(self):
        return iter(())

    def stop(self):
        self.stopped = True

    def close(self):
        self.executor.shutdown()


def tasks(folder, *costs):
    return [Task(partial(rest, cost / 20), (), folder / f"{cost}.txt", 1.0, cost) for cost in costs]


def test_the_dearest_is_given_out_first(tmp_path):
    place, told = Threads(), []
    run = Run(place, lambda *of: told.append(of))
    run.add(tasks(tmp_path, 1, 5, 2))
    run.add(tasks(tmp_path, 6, 4, 3))
    run.finish()
    assert place.begun == ["6.txt", "5.txt", "4.txt", "3.txt", "2.txt", "1.txt"]
    assert told[-1] == (6.0, 6.0) and [done for done, _ in told] == sorted(done for done, _ in told)
    assert {span.task for span in run.sheet.spans} == set(place.begun) and run.sheet.workers == 2
    assert all(span.ended - span.began == pytest.approx(int(span.task[0]) / 20, abs=0.1) for span in run.sheet.spans)


def test_what_belongs_together_is_joined_when_all_of_it_is_there(tmp_path):
    run, joined = Run(Threads()), []

    def then(took, values):
        assert {"2.txt", "3.txt"} <= {path.name for path in tmp_path.iterdir()}
        assert values == [None, None]
        joined.append(took)
        run.add(tasks(tmp_path, 1))

    run.add(tasks(tmp_path, 2, 3), then)
    run.finish()
    assert joined == [pytest.approx(0.25, abs=0.1)] and (tmp_path / "1.txt").exists()


def test_a_task_that_was_not_done_is_given_out_again(tmp_path):
    place = Threads(again=["2.txt"])
    run = Run(place)
    run.add(tasks(tmp_path, 2, 1))
    run.finish()
    assert sorted(place.begun) == ["1.txt", "2.txt", "2.txt"] and len(run.sheet.spans) == 2


def test_the_share_of_time_at_work_counts_everyone_who_could():
    sheet = Sheet(2, [Span("a", "1", 0.0, 4.0), Span("b", "2", 0.0, 3.0), Span("b", "3", 3.5, 4.0)], 3.5)
    assert sheet.busy() == pytest.approx(7.5 / 8) and sheet.busy(3.5) == pytest.approx(6.5 / 7)
    assert Sheet(3, sheet.spans, 3.5).busy() == pytest.approx(7.5 / 12)


def test_what_was_measured_says_what_is_expected(tmp_path):
    costs = Costs(tmp_path / "costs.json")
    assert costs.expected("1080p60", "F/one", 7.0) == 7.0
    costs.add("1080p60", "F/one", 3.0, 6.0)
    costs.add("1080p60", "F/two", 9.0, 6.0)
    costs.write()
    other = Costs(tmp_path / "costs.json")
    other.add("480p15", "F/one", 1.0, 6.0)
    other.write()
    costs = Costs(tmp_path / "costs.json")
    assert costs.expected("1080p60", "F/one", 6.0) == 3.0 and costs.expected("1080p60", "F/two", 3.0) == 4.5
    assert costs.expected("1080p60", "F/three", 4.0) == 4.0, "as the median of the others"
    assert costs.expected("480p15", "F/three", 6.0) == 1.0
    (tmp_path / "costs.json").write_text("{")
    assert Costs(tmp_path / "costs.json").expected("480p15", "F/one", 6.0) == 6.0


def test_what_a_section_took_and_who_did_it_is_remembered(two_requests, tmp_path):
    render_film(Beats, two_requests, TINY, media=tmp_path, crew=Crew(2))
    spans = json.loads((tmp_path / "sections" / "run.json").read_text())["spans"]
    costs = json.loads((tmp_path / "sections" / "costs.json").read_text())["180p10"]
    assert len(spans) == 2 and set(costs) == {"Beats/long", "Beats/short"} and costs["Beats/long"][0] > 0


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense", "http://127.0.0.1:9", "tcp://nowhere.invalid:1"])
def test_an_address_where_no_scheduler_is_has_a_line(address, monkeypatch, capfd):
    monkeypatch.setattr(cluster, "CONNECT_S", 0.5)
    with pytest.raises(WorkersLost) as raised:
        Crew(scheduler=address).hired(code_version)
    assert str(raised.value).startswith(f"{address}: no Dask scheduler answers (")
    assert len(str(raised.value).splitlines()) == 1 and capfd.readouterr().err == ""


def test_without_dask_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtra, match=r"distributed is not installed: pip install -e '.\[farm\]'"):
        Crew(scheduler="tcp://127.0.0.1:9").hired(code_version)


def test_an_input_is_known_by_what_it_holds(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert Input.of(tmp_path / "a").sha256.startswith("ba7816bf8f01cfea")


@pytest.mark.skipif(sys.platform != "linux", reason="processes begin from nothing elsewhere")
@pytest.mark.parametrize("threads, known", [(1, ["a trace"]), (2, [])])
def test_processes_begin_with_what_was_read_where_no_other_thread_runs(tmp_path, monkeypatch, threads, known):
    monkeypatch.setattr(threading, "active_count", lambda: threads)
    monkeypatch.setattr(films, "READ", ["a trace"])
    place = Local(1)
    try:
        done = place.submit(0, Task(films.what_was_read, (), tmp_path / "told", 1.0, 1.0)).result(timeout=60)
    finally:
        place.close()
    assert done.value == known and done.worker != str(os.getpid())
