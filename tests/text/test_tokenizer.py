"""Text to ids and back, with a vocabulary small enough to check by hand."""

from __future__ import annotations

import pytest

from astrai_sim.text import ChatTemplate, TextStream, Tokenizer
from astrai_sim.text.tokenizer import byte_alphabet

MERGES = ["h i", "Ġ t", "Ġt o", "1 2"]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    pytest.importorskip("tokenizers", reason="the extra smollm2 is not installed")
    vocabulary = ["<end>", *byte_alphabet(), "hi", "Ġt", "Ġto", "12"]
    return Tokenizer(vocabulary, MERGES, control=[0])


def words(tokenizer: Tokenizer, text: str) -> list[str]:
    stream = TextStream(tokenizer)
    return [stream.feed(token) for token in tokenizer.encode(text)]


def test_merges_join_and_digits_stay_apart(tokenizer: Tokenizer):
    assert words(tokenizer, "hi to 12") == ["hi", " to", " ", "1", "2"]


def test_control_tokens_are_found_in_text_and_named(tokenizer: Tokenizer):
    assert tokenizer.encode("hi<end>")[-1] == 0
    assert words(tokenizer, "hi<end>hi") == ["hi", "<end>", "hi"]


@pytest.mark.parametrize("text", ["é", "漢字 🙂 hi", "\n\t  x\u00a0y", "a\u0300"])
def test_pieces_concatenate_to_the_text(tokenizer: Tokenizer, text: str):
    pieces = words(tokenizer, text)
    assert "".join(pieces) == text
    assert len(pieces) == len(tokenizer.encode(text))


def test_a_split_character_belongs_to_its_last_token(tokenizer: Tokenizer):
    assert words(tokenizer, "🙂") == ["", "", "", "🙂"]


def test_a_character_that_is_cut_short_is_marked(tokenizer: Tokenizer):
    cut = tokenizer.encode("🙂")[:3]
    assert tokenizer.decode(cut) == "\ufffd"
    assert tokenizer.decode([*cut, 0]) == "\ufffd<end>"
    assert tokenizer.decode([*cut, *tokenizer.encode("hi")]) == "\ufffdhi"


def test_a_template_puts_the_system_prompt_first():
    pytest.importorskip("jinja2", reason="the extra smollm2 is not installed")
    chat = ChatTemplate(
        "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}"
        "{% if add_generation_prompt %}[assistant]{% endif %}"
    )
    assert chat.prompt("Why?") == "[user]Why?[assistant]"
    assert chat.prompt("Why?", "Be brief.") == "[system]Be brief.[user]Why?[assistant]"
