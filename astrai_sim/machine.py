"""The machine that this runs on."""

import platform
import re
from contextlib import suppress
from pathlib import Path

WIDE = ("amx", "asimd", "avx", "bf16", "fma", "sve")
"""How names of instruction sets for many numbers at once begin."""


def cpu_name() -> str:
    """The processor's model name as the system states it."""
    with suppress(OSError):
        if found := re.search(r"^model name\s*:(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE):
            return found[1].strip()
    return platform.processor() or platform.machine()


def cpu_instructions() -> tuple[str, ...]:
    """The processor's instruction sets for many numbers at once, as Linux names them, ascending: what sums are rounded
    like depends on them. Empty elsewhere."""
    with suppress(OSError):
        if found := re.search(r"^(?:flags|Features)\s*:(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE):
            return tuple(sorted(flag for flag in found[1].split() if flag.startswith(WIDE)))
    return ()
