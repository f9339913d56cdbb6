"""Pages for a browser that ask nothing of anywhere: a template with places to fill, and what it may load."""

from collections.abc import Mapping
from pathlib import Path

from astrai_sim.files import whole

ALONE = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; media-src blob:"
"""What a page with everything inside may load: nothing from anywhere."""
BESIDE = "default-src 'self' 'unsafe-inline' data: blob: file:"
"""What one with files beside it may load: those."""


def write_page(template: Path, facts: Mapping[str, str], output: Path, beside: bool) -> None:
    """Write `template` to `output` with `facts` in its places, `{{NAME}}` each, and what it may load in `{{policy}}`.

    Facts are put in as they are: who gives them makes them HTML. Raises OSError where the file cannot be written.
    """
    page = template.read_text(encoding="utf-8")
    for name, text in {"policy": BESIDE if beside else ALONE, **facts}.items():
        page = page.replace("{{" + name + "}}", text)
    with whole(output) as partial:
        partial.write_text(page, encoding="utf-8")
