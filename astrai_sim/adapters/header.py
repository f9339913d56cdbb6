"""The header of a trace of a foreign engine: its name, version and commit, its sizes, and its own source."""

import datetime
import inspect
import subprocess
import sys
import textwrap
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch

from astrai_sim.recorder.header import device_facts, printed
from astrai_sim.recorder.paging import LivePool
from astrai_sim.trace import SCHEMA, VERSION
from astrai_sim.trace.header import RecordPart


@dataclass(frozen=True)
class Sizes:
    """What an engine serves: a model of `kind` with so many `layers` and, where its `config` says that, a vocabulary;
    the pages of a `pool`; K of a layer in `keys`, [n_pages, page_size, n_kv_heads, head_dim]; `prefixes` cached or not;
    the scheduler's settings as the header says them (`astrai_sim.trace.header.SchedulerSettings`)."""

    kind: str
    layers: int
    config: Any
    pool: LivePool
    keys: torch.Tensor
    prefixes: bool
    scheduler: dict[str, Any]

    def scenario(self, asked: RecordPart, name: str, title: str) -> dict[str, Any]:
        """The scenario of a run that is recorded as `asked`."""
        pool, vocabulary = self.pool, getattr(self.config, "vocab_size", None)
        return {
            "name": name,
            "title": title,
            "model": {
                "kind": self.kind,
                "dtype": str(self.keys.dtype).removeprefix("torch."),
                "n_layers": self.layers,
                "n_kv_heads": self.keys.shape[2],
                "head_dim": self.keys.shape[3],
                "vocab_size": vocabulary if isinstance(vocabulary, int) else None,
            },
            "cache": {"n_pages": pool.n_pages, "page_size": pool.page_size, "prefix_caching": self.prefixes},
            "scheduler": self.scheduler,
            "record": {"kv_layer": asked.kv_layer, "snapshot_every": asked.snapshot_every, "line_calls": 0},
        }


def make_header(
    package: str, scenario: dict[str, Any], device: torch.device, roles: Mapping[str, Callable], policy: tuple[str, ...]
) -> dict[str, Any]:
    """The header of a trace of the engine in the loaded `package`, whose functions play `roles` in films.

    `scenario` is that of its `Sizes`.
    """
    name, model = package.partition(".")[0], scenario["model"]
    root = _root(name)
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "engine": {"name": name, "version": _version(name), "commit": _commit(root)},
        "device": device_facts(device),
        "dtype": model["dtype"],
        "model": model["kind"],
        "clock": "real",
        "detail": "full",
        "scenario": scenario,
        "scenario_name": scenario["name"],
        "seed": 0,
        "started": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "sources": {function.__qualname__: source_of(function, root) for function in roles.values()},
        "roles": {role: function.__qualname__ for role, function in roles.items()},
        "kv_layer": scenario["record"]["kv_layer"],
        "policy": list(policy),
    }


def source_of(function: Callable, root: Path | None) -> dict[str, Any]:
    """File (below `root`, else its name alone), first line and text of a function.

    Raises OSError where its text is not at hand.
    """
    text, line = inspect.getsourcelines(inspect.unwrap(function))
    path = Path(inspect.getfile(function)).resolve()
    file = path.relative_to(root).as_posix() if root is not None and path.is_relative_to(root) else path.name
    return {"file": file, "line": line, "text": textwrap.dedent("".join(text))}


def _root(package: str) -> Path | None:
    """The folder that a loaded package lies in, which may have no `__init__`."""
    folders = [*getattr(sys.modules.get(package), "__path__", ())]
    return Path(folders[0]).resolve().parent if folders else None


def _version(package: str) -> str:
    return str(getattr(sys.modules.get(package), "__version__", "unknown"))


@cache
def _commit(root: Path | None) -> str | None:
    """The commit of the checkout whose folder, or "python" or "src" in it, the engine lies in, with "+" for a changed
    one; None where it lies in none."""
    with suppress(OSError, subprocess.CalledProcessError):
        git = ("git", "-C", str(root))
        top = Path(printed(*git, "rev-parse", "--show-toplevel"))
        if root in (top, top / "python", top / "src"):
            changed = printed(*git, "status", "--porcelain", "--untracked-files=no")
            return printed(*git, "rev-parse", "--short=12", "HEAD") + ("+" if changed else "")
    return None
