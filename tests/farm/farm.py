"""A real Dask cluster on loopback: a scheduler and workers, each a process in a folder of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tests.conftest import ROOT

START_S = 90


def installed(folder: Path) -> Path:
    """The project, copied as a worker has it: sources and fonts, no trace. Gives `folder`."""
    without = shutil.ignore_patterns("__pycache__")
    for name in ("astrai_sim", "scenes", "assets/fonts", "tests/film", "tests/farm"):
        shutil.copytree(ROOT / name, folder / name, ignore=without)
    shutil.copy(ROOT / "tests" / "conftest.py", folder / "tests")
    return folder


class Farm:
    """A scheduler at `address` and the workers that `hire` starts; `end` ends them all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: dict[str, subprocess.Popen] = {}
        says = folder / "scheduler.json"
        self._start("scheduler", folder, "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(says))
        self.address: str = self._until(lambda: json.loads(says.read_text())["address"] if says.is_file() else None)

    def hire(self, name: str, package: Path, **environment: str) -> str:
        """Start a worker that has the project in the folder `package`; gives its address."""
        place = self.folder / name
        place.mkdir()
        words = [self.address, "--name", name, "--nthreads", "1", "--no-nanny", "--memory-limit", "0"]
        words += ["--host", "127.0.0.1", "--local-directory", str(place / "scratch")]
        self._start("worker", place, *words, name=name, PYTHONPATH=str(package), HOME=str(place), **environment)

        def known() -> str | None:
            from distributed import Client

            with Client(self.address, set_as_default=False) as client:
                workers = client.scheduler_info()["workers"]
            return next((address for address, facts in workers.items() if facts["name"] == name), None)

        return self._until(known)

    def kept(self, name: str) -> list[str]:
        """The names of files that a worker keeps."""
        return sorted(path.name for path in (self.folder / name).rglob("astrai-film/*/*"))

    def dismiss(self, name: str) -> None:
        """End a worker."""
        process = self.processes.pop(name)
        process.terminate()
        process.wait(30)

    def end(self) -> None:
        """End all that were started."""
        for name in reversed(list(self.processes)):
            self.dismiss(name)

    def _start(self, kind: str, place: Path, *words: str, name: str = "scheduler", **environment: str) -> None:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("ASTRAI_", "PYTEST_"))}
        with (self.folder / f"{name}.log").open("w") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", "dask", kind, "--no-dashboard", *words],
                cwd=place,
                env={**kept, **environment},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def _until(self, found):
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            if (value := found()) is not None:
                return value
            time.sleep(0.2)
        raise AssertionError("\n".join(log.read_text() for log in self.folder.glob("*.log")))
