"""Who says what is told from the pieces of a chat prompt."""

import pytest

from scenes.story.conversation import Exchange, control_name

CHAT = [
    "<|im_start|>",
    "system",
    "\n",
    "Be",
    " kind",
    ".",
    "<|im_end|>",
    "\n",
    "<|im_start|>",
    "user",
    "\n",
    "Why",
    "?",
    "<|im_end|>",
    "\n",
    "<|im_start|>",
    "ass",
    "istant",
    "\n",
]


@pytest.mark.parametrize(
    ("piece", "name"),
    [
        ("<|im_start|>", "start"),
        ("<|im_end|>", "end"),
        ("<|endoftext|>", "endoftext"),
        ("</s>", "/s"),
        ("<b>", None),
        (" the", None),
        ("", None),
        ("<||>", None),
    ],
)
def test_control_tokens(piece, name):
    assert control_name(piece) == name


def test_chat_with_a_system_prompt():
    texts = [*CHAT, "Because", ".", "<|im_end|>"]
    assert Exchange.of(texts, len(CHAT)) == Exchange("Why?", "Be kind.", "Because.")


def test_the_last_of_several_questions():
    before = [
        "<|im_start|>",
        "user",
        "\n",
        "First",
        "?",
        "<|im_end|>",
        "\n",
        "<|im_start|>",
        "assistant",
        "\n",
        "Yes",
        ".",
        "<|im_end|>",
        "\n",
    ]
    exchange = Exchange.of(before + CHAT[8:], len(before) + 11)
    assert (exchange.question, exchange.system, exchange.answer) == ("Why?", "", "")


def test_plain_prompt_is_the_question():
    assert Exchange.of(["Once", " upon", " a", " time"], 3) == Exchange("Once upon a", "", "time")


def test_question_of_several_lines_stays_whole():
    texts = ["<|im_start|>", "user", "\n", "One\nTwo", "<|im_end|>", "\n", "<|im_start|>", "assistant", "\n"]
    assert Exchange.of(texts, len(texts)).question == "One\nTwo"
