"""What the runners of all engines share: what they are asked for on the command line, and a tokenizer."""

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

VOCABULARY = 200


def run_options(command: Callable) -> Callable:
    """CHECKOUT, `--out`, the sizes that every engine has, and `--request`."""
    says = "START:COUNT:MOST,…: tokens START, START + 1 …, and at most MOST more"
    for option in (
        click.option("--request", "requests", multiple=True, help=says),
        click.option("--batch", default=4),
        click.option("--page-size", default=8),
        click.option("--pages", default=12),
        click.option("-o", "--out", required=True, type=click.Path(path_type=Path)),
        click.argument("checkout", type=click.Path(exists=True, file_okay=False, path_type=Path)),
    ):
        command = option(command)
    return command


def prompts(group: str) -> Iterator[tuple[list[int], int]]:
    """The prompt of each request of a group that comes at once, and how many tokens it may get."""
    for asked in group.split(","):
        start, count, most = map(int, asked.split(":"))
        yield [token % VOCABULARY for token in range(start, start + count)], most


def words() -> Any:
    """A tokenizer of numbers: the token of "17" is 17."""
    library = importlib.import_module("tokenizers")
    model = library.models.WordLevel({str(i): i for i in range(VOCABULARY)}, unk_token="0")
    return library.Tokenizer(model)
