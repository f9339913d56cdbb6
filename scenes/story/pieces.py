"""How the text of one token is written: nothing that takes a slot stays unseen."""

from dataclasses import dataclass

from scenes.story.conversation import control_name

NOTHING = "·"
MARKS = {"\n": "↵", "\r": "↵", "\t": "⇥", " ": "␣", "\xa0": "␣"}
LONGEST = 24


@dataclass(frozen=True)
class ShownPiece:
    """What stands for a token: `text`, after a blank where `spaced`; muted where `control`."""

    text: str
    spaced: bool
    control: bool


def shown_piece(piece: str) -> ShownPiece:
    """The visible form of `piece`.

    A control token gives its name. Line breaks, tabs and blanks give a mark each, but for the one blank before a word.
    A token without text of its own gives a dot; a very long piece is cut with an ellipsis.
    """
    name = control_name(piece)
    if name is not None:
        return ShownPiece(name, spaced=True, control=True)
    spaced = len(piece) > 1 and piece[0] == " " and not piece[1].isspace()
    body = "".join(MARKS.get(char, char) for char in piece[spaced:])
    if len(body) > LONGEST:
        body = body[: LONGEST - 1] + "…"
    return ShownPiece(body or NOTHING, spaced, control=not piece.strip())
