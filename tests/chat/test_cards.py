"""Cards set their text as large as fits whole, and mark what they cut."""

import pytest

from scenes.draw.layout import Box
from scenes.old.mobjects.cards import SMALLEST, CardBoard, CardText

BOX = Box(100, 134, 1720, 786)
SYSTEM = "You are a kind teacher of science. " * 6


def written(labels):
    return " ".join(label.text for label in labels)


def board(questions, answers, system=""):
    texts = [
        CardText(f"P{i}", "#5AB4F0", question, answer, "its pages are", (1, 2))
        for i, (question, answer) in enumerate(zip(questions, answers, strict=True))
    ]
    return CardBoard(texts, system, "", BOX)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
@pytest.mark.parametrize("length", [3, 30])
def test_what_fits_is_whole(count, length):
    questions = [f"Why does the Moon shine, number {i}?" for i in range(count)]
    answers = [" ".join(["because"] * length)] * count
    cards = board(questions, answers).cards
    assert [(written(card.asked), written(card.said)) for card in cards] == list(zip(questions, answers, strict=True))


def test_system_prompt_is_whole_above_questions():
    shown = board(["Why is the sky blue?", "Why does the Moon shine?"], ["", ""], SYSTEM)
    assert written(shown.system_lines) == SYSTEM.strip()
    assert not any("…" in written(card.asked) for card in shown.cards)


def test_too_long_is_cut_with_a_mark_and_stays_in_the_box():
    cards = board(["Why?"] * 3, ["very long answers " * 200] * 3)
    for card in cards.cards:
        assert card.said[0].px == SMALLEST
        assert card.read()[0].endswith("…")
        assert max(label.ink()[3] for label in card.said) < card.note[0].ink()[1]
        assert card.box.bottom <= BOX.bottom + 1


def test_a_word_wider_than_a_card_is_broken():
    word = "W" * 80
    asked = board([word] * 3, [""] * 3).cards[0].asked
    assert len(asked) > 1 and "".join(label.text for label in asked) == word


def test_a_long_question_leaves_room_for_the_answer():
    card = board(["Why so long? " * 200] * 3, ["Because."] * 3).cards[0]
    assert written(card.asked).endswith("…") and written(card.said) == "Because."


def test_pages_that_do_not_fit_are_counted():
    texts = [CardText("A", "#5AB4F0", "Why?", "Because.", "held in", tuple(range(200)))] * 3
    for card in CardBoard(texts, "", "", BOX).cards:
        answer, pages, hidden = card.read()
        assert answer == "Because." and pages == list(range(len(pages)))
        assert len(pages) + hidden == 200 and hidden
        assert card.note[-1].text == f"+{hidden}"
        assert all(chip.submobjects[0].box.bottom <= BOX.bottom for chip in card.chips)
