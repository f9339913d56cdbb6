"""The machine that this runs on."""

import platform
import re
from contextlib import suppress
from pathlib import Path

WIDE = ("amx", "asimd", "avx", "bf16", "fma", "sve")
"""How names of instruction sets for many numbers at once begin."""


def cpu_name() -> str:
    """The processor's model name as the system states it."""
    return _stated(r"model name") or platform.processor() or platform.machine()


def cpu_instructions() -> tuple[str, ...]:
    """The processor's instruction sets for many numbers at once, as Linux names them, ascending: what sums are rounded
    like depends on them. Empty elsewhere."""
    return tuple(sorted(flag for flag in _stated(r"(?:flags|Features)").split() if flag.startswith(WIDE)))


def _stated(name: str) -> str:
    """What Linux says of the first core by a name, a regular expression; empty where it says nothing."""
    with suppress(OSError):
        if found := re.search(rf"^{name}\s*:(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE):
            return found[1].strip()
    return ""
