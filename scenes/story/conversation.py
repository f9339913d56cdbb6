"""Who says what in a chat prompt and its answer, and how one token is written, from the texts of the tokens."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

CONTROL = re.compile(r"<\|(\w+)\|>|</?s>")
NOTHING = "·"
MARKS = {"\n": "↵", "\r": "↵", "\t": "⇥", " ": "␣", "\xa0": "␣"}
LONGEST = 24


def control_name(piece: str) -> str | None:
    """What to call a control token, such as `start` for `<|im_start|>`; None for other text."""
    found = CONTROL.fullmatch(piece)
    if found is None:
        return None
    name = found.group(1) or piece.strip("<>")
    return name.rpartition("_")[2] or name


@dataclass(frozen=True)
class Exchange:
    """A request's question, the system prompt before it ('' for none), and its answer so far."""

    question: str
    system: str
    answer: str

    @classmethod
    def of(cls, texts: Sequence[str], prompt_len: int) -> "Exchange":
        """From a request's pieces, the first `prompt_len` of which are its prompt.

        A chat template puts each turn between control tokens, its role on a line of its own before it. The last turn of
        a prompt is the one that the model is to write, so the question is the one before. A prompt without control
        tokens is a question as a whole.
        """
        prompt = texts[:prompt_len]
        answer = plain(texts[prompt_len:])
        if not any(control_name(piece) for piece in prompt):
            return cls(plain(prompt), "", answer)
        turns = [turn for turn in _turns(prompt) if turn[1]]
        system = next((said for role, said in turns if role == "system"), "")
        asked = [said for role, said in turns if role != "system"]
        return cls(asked[-1] if asked else "", system, answer)


def plain(pieces: Sequence[str]) -> str:
    """The text of `pieces` without control tokens, blanks at its ends cut off."""
    return "".join(piece for piece in pieces if control_name(piece) is None).strip()


def _turns(pieces: Sequence[str]) -> list[tuple[str, str]]:
    """(role, text) of every stretch between control tokens that is more than blanks."""
    stretches = [""]
    for piece in pieces:
        if control_name(piece) is None:
            stretches[-1] += piece
        else:
            stretches.append("")
    turns = []
    for stretch in stretches:
        role, newline, said = stretch.partition("\n")
        if newline and len(role.split()) == 1:
            turns.append((role.strip(), said.strip()))
        elif stretch.strip():
            turns.append(("", stretch.strip()))
    return turns


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
