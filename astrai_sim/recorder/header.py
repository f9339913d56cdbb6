"""What a trace says about where it comes from."""

import datetime
import inspect
import platform
import subprocess
import textwrap
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

import astrai_sim
from astrai_sim.engine.cache import CacheView, PagedCache, QueuedView, pages_for
from astrai_sim.engine.cache.view import padded
from astrai_sim.engine.clock import CostClock
from astrai_sim.engine.scheduler.model_free import RULE
from astrai_sim.machine import cpu_instructions, cpu_name
from astrai_sim.model.gguf_file import smollm2
from astrai_sim.scenario.build import Built
from astrai_sim.scenario.schema import Scenario
from astrai_sim.shipped import CHECKOUT
from astrai_sim.trace import SCHEMA, VERSION
from astrai_sim.trace.roles import ROLES
from astrai_sim.trace.verify import RULES
from astrai_sim.workload import Workload

ROOT = Path(astrai_sim.__file__).resolve().parents[1]
SHOWN: tuple[Callable, ...] = (pages_for, padded, CacheView.__init__, CacheView.gather)
SHOWN_METHODS = {
    "cache": (
        "__init__",
        *("alloc", "evict", "alloc_n", "inc_ref", "free", "lookup", "admit"),
        *("share", "extend", "grow", "release", "write", "gather"),
    ),
    "scheduler": ("_make_room", "_preempt"),
}
QUEUED: tuple[Callable, ...] = (QueuedView.__init__, PagedCache.put, PagedCache.take)
"""What runs in place of `CacheView.__init__`, `PagedCache.write` and `PagedCache.gather` on a device that works behind
the host."""


def make_header(
    scenario: Scenario, device: torch.device, built: Built, workload: Workload | None = None
) -> dict[str, Any]:
    """The header of a trace of `scenario`, run with the objects of `built` on `device`."""
    header = {
        "schema": SCHEMA,
        "version": VERSION,
        "engine": {"name": "astrai_sim", "version": astrai_sim.__version__, "commit": commit()},
        "device": device_facts(device),
        "dtype": scenario.model.dtype,
        "model": scenario.model.kind,
        "clock": built.clock.kind,
        "cost": built.clock.cost.as_dict() if isinstance(built.clock, CostClock) else None,
        "token_rule": RULE if built.model is None else None,
        "detail": scenario.record.detail,
        "scenario": asdict(scenario),
        "scenario_name": scenario.name,
        "seed": scenario.seed,
        "started": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "sources": sources(built),
        "kv_layer": scenario.record.kv_layer,
        "policy": list(RULES),
    }
    if (roles := played(built)) != ROLES:
        header["roles"] = roles
    if built.language is not None:
        header["weights"] = smollm2().facts()
        header["tokenizer"] = built.language.facts()
    if workload is not None:
        header["workload"] = workload.facts()
    return header


def queued(built: Built) -> bool:
    """Whether a model of `built` runs on a device that works behind the host."""
    return built.model is not None and built.cache.view_type is QueuedView


def played(built: Built) -> dict[str, str]:
    """Which of the functions that run play which role (`trace.roles`)."""
    names = {f"PagedCache.{name}": getattr(type(built.cache), name).__qualname__ for name in SHOWN_METHODS["cache"]}
    played = {role: names.get(name, name) for role, name in ROLES.items()}
    if queued(built):
        played |= zip(("view", "write", "gather"), (function.__qualname__ for function in QUEUED), strict=True)
    return played


def sources(built: Built) -> dict[str, dict[str, Any]]:
    """File, first line and text of the functions that films show, from the running objects."""
    methods = [getattr(type(getattr(built, owner)), name) for owner, names in SHOWN_METHODS.items() for name in names]
    found = {}
    for function in (*SHOWN, *methods, *(QUEUED if queued(built) else ())):
        text, line = inspect.getsourcelines(function)
        file = Path(inspect.getfile(function)).resolve().relative_to(ROOT).as_posix()
        found[function.__qualname__] = {"file": file, "line": line, "text": textwrap.dedent("".join(text))}
    return found


def commit() -> str:
    """The checkout's commit, with "+" for a changed engine; "unknown" outside a checkout."""
    if CHECKOUT is None:
        return "unknown"
    git = ("git", "-C", str(ROOT))
    try:
        name = printed(*git, "rev-parse", "--short=12", "HEAD")
        return name + ("+" if printed(*git, "status", "--porcelain", "--", "astrai_sim") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def printed(*command: str) -> str:
    """What a command prints. Raises OSError where there is none such, CalledProcessError where it fails."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def device_facts(device: torch.device) -> dict[str, Any]:
    """Type, name, compute capability and driver, or instruction sets, of `device`, and the software's versions."""
    name, capability, driver = cpu_name(), None, None
    instructions = list(cpu_instructions()) if device.type == "cpu" else None
    if device.type == "cuda":
        name, capability = torch.cuda.get_device_name(device), list(torch.cuda.get_device_capability(device))
        driver = driver_version()
    found = {"type": device.type, "name": name, "capability": capability, "driver": driver}
    found["instructions"] = instructions
    return found | {"torch": torch.__version__, "python": platform.python_version()}


def driver_version() -> str | None:
    """NVIDIA driver version as the kernel module states it; None where it does not."""
    with suppress(OSError, StopIteration):
        words = Path("/proc/driver/nvidia/version").read_text().split()
        return next(word for word in words if word.count(".") >= 2 and word[0].isdigit())
    with suppress(OSError, subprocess.CalledProcessError, IndexError):
        return printed("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader").splitlines()[0].strip()
    return None
