"""The machine that this runs on."""

import platform
import re
from contextlib import suppress
from pathlib import Path


def cpu_name() -> str:
    """The processor's model name as the system states it."""
    with suppress(OSError):
        if found := re.search(r"^model name\s*:(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE):
            return found[1].strip()
    return platform.processor() or platform.machine()
