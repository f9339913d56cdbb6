"""A deck as one page for a browser, which needs nothing else: videos, pictures and notes are inside."""

import io
import json
from base64 import b64encode
from html import escape
from pathlib import Path

from PIL import Image

from astrai_sim.files import whole
from scenes.clips.pages import write_page
from scenes.decks.deck import Deck, Slide

TEMPLATE = Path(__file__).with_name("page.html")
STILL_QUALITY = 90


def write_deck(deck: Deck, output: Path, beside: bool = False) -> list[Path]:
    """Write `deck` to the HTML file `output`; gives the files written.

    With `beside` the videos lie in the folder `NAME_files` beside it, each once, else all is inside. Raises OSError
    where a file cannot be written.
    """
    folder = output.with_name(f"{output.stem}_files")
    kept: dict[Path, str] = {}
    written, described, videos = [], [], []
    for slide in deck.slides:
        told = {"title": slide.title, "text": slide.text, "notes": slide.notes, "alt": slide.alt, "loop": slide.looped}
        told["video"] = slide.video is not None
        if slide.video is not None:
            if slide.video not in kept:
                kept[slide.video] = f"video-{len(kept)}"
                content = slide.video.read_bytes()
                if beside:
                    path = folder / f"{kept[slide.video]}.mp4"
                    with whole(path) as partial:
                        partial.write_bytes(content)
                    written.append(path)
                else:
                    text = b64encode(content).decode()
                    videos.append(f'<script type="text/plain" id="{kept[slide.video]}">{text}</script>')
            name = kept[slide.video]
            told |= {"file": f"{folder.name}/{name}.mp4"} if beside else {"data": name}
        described.append(told)
    facts = {
        "title": escape(deck.title),
        "ground": deck.ground,
        "ink": deck.ink,
        "width": str(deck.width),
        "height": str(deck.height),
        "pages": "\n".join(_page(place, slide) for place, slide in enumerate(deck.slides)),
        "slides": json.dumps(described).replace("<", "\\u003c"),
        "videos": "\n".join(videos),
    }
    write_page(TEMPLATE, facts, output, beside)
    return [output, *written]


def _page(place: int, slide: Slide) -> str:
    """A slide on paper: the picture that it comes to rest on."""
    if slide.last is None:
        text = f"<p>{escape(slide.text)}</p>" if slide.text else ""
        return f'<section data-slide="{place}"><h1>{escape(slide.title)}</h1>{text}</section>'
    with Image.open(slide.last) as image:
        small = io.BytesIO()
        image.save(small, format="webp", quality=STILL_QUALITY)
    data = b64encode(small.getvalue()).decode()
    return (
        f'<section data-slide="{place}"><img alt="{escape(slide.alt)}" src="data:image/webp;base64,{data}"></section>'
    )
