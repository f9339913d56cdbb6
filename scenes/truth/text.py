"""What is said: tokens as they are written, questions and answers."""

import re

from scenes.truth.vouching import vouches
from scenes.truth.witness import Witness

SPECIAL = re.compile(r"<\|(?:\w*_)?(\w+?)\|>|<(/?s)>")
SIGNS = str.maketrans({"\n": "↵", "\r": "↵", "\t": "⇥", " ": "␣", "\xa0": "␣"})
BOX = "□"
MOST = 24


def boxed(truth: str, shown: str) -> str:
    """`truth` with a box for each character beyond ASCII where `shown` has one: a font has not every character."""
    if len(truth) != len(shown):
        return truth
    pairs = zip(truth, shown, strict=True)
    return "".join(BOX if there == BOX and not char.isascii() else char for char, there in pairs)


def special(piece: str) -> str | None:
    """What a control token is called; None for other text."""
    found = SPECIAL.fullmatch(piece)
    return None if found is None else found[1] or found[2]


def written(piece: str) -> str:
    """A token as the transcript writes it: with a sign for each blank but the one before a word."""
    name = special(piece)
    if name is not None:
        return name
    body = piece[1:] if re.match(r" \S", piece) else piece
    body = body.translate(SIGNS)
    return (body[: MOST - 1] + "…" if len(body) > MOST else body) or "·"


def _texts(witness: Witness, task: str, at: int) -> tuple[str, ...]:
    texts = witness.state(at).tasks[task].texts
    if texts is None:
        raise LookupError(f"the trace does not say the words of {task}")
    return texts


def _in_turns(pieces: tuple[str, ...]) -> list[tuple[str, str]]:
    """(role, words) of every stretch between control tokens; a role is one word on a line above."""
    stretches: list[list[str]] = [[]]
    for piece in pieces:
        if special(piece) is not None:
            stretches.append([])
        else:
            stretches[-1].append(piece)
    turns = []
    for text in map("".join, stretches):
        head, line, body = text.partition("\n")
        role = head.strip() if line and len(head.split()) == 1 else ""
        turns.append((role, (body if role else text).strip()))
    return [turn for turn in turns if turn[1]]


def _plain(pieces: tuple[str, ...]) -> str:
    return "".join(piece for piece in pieces if special(piece) is None).strip()


@vouches("request.question")
def question(witness: Witness, task: str) -> str:
    """The last turn of a prompt that is not the system's; all of a prompt without control tokens."""
    pieces = witness.lives[task].submitted.texts or ()
    if all(special(piece) is None for piece in pieces):
        return _plain(pieces)
    asked = [words for role, words in _in_turns(pieces) if role != "system"]
    return asked[-1] if asked else ""


@vouches("request.system")
def system(witness: Witness, task: str) -> str:
    """The first of the system's turns in a prompt."""
    turns = _in_turns(witness.lives[task].submitted.texts or ())
    return next((words for role, words in turns if role == "system"), "")


@vouches("request.answer")
def answer(witness: Witness, task: str, at: int) -> str:
    """What it has said so far."""
    return _plain(_texts(witness, task, at)[witness.lives[task].prompt :])
