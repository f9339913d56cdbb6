"""What a rendered picture comes from but for the film and its trace: sources, libraries, fonts."""

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

from astrai_sim import __version__
from astrai_sim.shipped import ASSETS
from scenes.film.vouched import TRACE_PACKAGE, sources_digest

LIBRARIES = ("manim", "av", "uharfbuzz", "pycairo")
SOURCES = (Path(__file__).resolve().parents[1], TRACE_PACKAGE)


@cache
def tools() -> tuple[str, ...]:
    """Versions of the libraries and digests of the fonts, as they are when first asked for."""
    return *(f"{name} {version(name)}" for name in LIBRARIES), *_fonts()


@cache
def code_version() -> dict[str, str]:
    """What must be the same where sections of one film are rendered, each part by its name, as it is when first asked
    for."""
    return {
        "astrai-sim": __version__,
        "sources": sources_digest(*SOURCES)[:12],
        "fonts": hashlib.sha256("".join(_fonts()).encode()).hexdigest()[:12],
        **{name: version(name) for name in LIBRARIES},
    }


@cache
def _fonts() -> tuple[str, ...]:
    files = sorted((ASSETS / "fonts").iterdir())
    return tuple(hashlib.sha256(path.read_bytes()).hexdigest() for path in files)
