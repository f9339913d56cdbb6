"""A word, answer, tint or race that was not recorded so is found and named."""

import copy
from dataclasses import replace
from itertools import pairwise

import pytest

from scenes.chat import Chat
from scenes.check.compare import differences
from scenes.draw.layout import Box
from scenes.film.rehearsal import rehearse
from scenes.film.scene import ASSETS, Observer
from scenes.parts.words import Word, around, mark, pages_of, spoken
from scenes.prefix_sharing import PrefixSharing
from scenes.story.conversation import control_name
from scenes.truth import Witness
from scenes.truth import words as truth


class Keeper(Observer):
    """Keeps what a film shows after each of its beats, with the event that it is of."""

    def __init__(self):
        self.kept = []

    def beat_ended(self, scene, section, beat):
        self.kept.append((scene.stage.read(), beat.until))


@pytest.fixture(scope="module", params=[Chat, PrefixSharing])
def kept(request):
    keeper = Keeper()
    scene = rehearse(request.param, ASSETS / "traces" / request.param.default_trace, observers=(keeper,)).scene
    return Witness.of(scene.trace), keeper.kept


def shown_with(kept, field):
    witness, pictures = kept
    shown, until = next((shown, until) for shown, until in pictures if shown.get(field))
    return copy.deepcopy(shown), witness, until


def found(shown, witness, at):
    return {difference.field for difference in differences(shown, witness, at)}


def test_a_wrong_word_and_one_that_is_missing(kept):
    shown, *rest = shown_with(kept, "pool.words")
    assert not found(shown, *rest)
    page, words = next(iter(shown["pool.words"].items()))
    slot, word = max(words.items())
    words[slot] = "lie"
    assert found(shown, *rest) == {f"pool.words[{page}]"}
    words[slot] = word + "…"
    assert found(shown, *rest) == {f"pool.words[{page}]"}
    del words[slot]
    assert found(shown, *rest) == {f"pool.words[{page}]"}


def test_a_bar_that_is_too_short(kept):
    shown, *rest = shown_with(kept, "race")
    assert not found(shown, *rest)
    (of, length), *others = shown["race"]
    shown["race"] = ((of, length - 0.05), *others)
    assert found(shown, *rest) == {"race"}


@pytest.fixture(scope="module")
def chat():
    keeper = Keeper()
    scene = rehearse(Chat, ASSETS / "traces" / Chat.default_trace, observers=(keeper,)).scene
    return Witness.of(scene.trace), keeper.kept


def test_another_answer(chat):
    shown, *rest = shown_with(chat, "talk.said")
    task, said = next(iter(shown["talk.said"].items()))
    shown["talk.said"][task] = said.replace("a", "o")
    assert found(shown, *rest) == {f"talk.said[{task}]"}


def test_a_page_in_the_hue_of_another(chat):
    shown, *rest = shown_with(chat, "talk.tints")
    task, tints = next(iter(shown["talk.tints"].items()))
    tints[0] = (1.0, 0.0, 0.0)
    assert found(shown, *rest) == {f"talk.tints[{task}]"}


@pytest.mark.parametrize(
    ("texts", "name", "n"),
    [
        (("<|im_start|>", "system", "\n", "You"), "system", 3),
        (("<|im_start|>", "ass", "istant", "\n", "The"), "assistant", 4),
        (("<|im_end|>", "\n", "<|im_start|>"), "end", 2),
        (("<|im_end|>",), "end", 1),
        (("<|im_end|>", "<|im_start|>", "user", "\n"), "end", 1),
        (("<|im_start|>", "two", " words", "\n"), "start", 1),
    ],
)
def test_a_chat_mark_is_one_chip(texts, name, n):
    assert mark(texts, control_name(texts[0])) == (name, n) == truth.mark(texts)


def test_words_stand_for_every_token(shared):
    state = shared.state_at(len(shared) - 1)
    for task, words in spoken(shared).items():
        assert len(words) == state.tasks[task].n_tokens
        assert [word.first for word in words] == sorted(word.first for word in words)
        assert all(word.first <= at < word.first + word.n for at, word in enumerate(words))


def test_each_token_of_a_page_has_a_cell_and_each_word_stands_once(shared):
    for words in spoken(shared).values():
        pages = [*pages_of(words, Witness.of(shared).page_size)]
        said = [word.text for page in pages for word in page if word.text]
        assert said == [word.text for at, word in enumerate(words) if at == word.first]
        assert [word.first + i for page in pages for word in page for i in range(word.n)] == [*range(len(words))]
        for word in (word for page in pages for word in page):
            cells = around(word, Box(0.0, 0.0, 400.0, 40.0), 32)
            assert len(cells) == word.n and all(a.right < b.x for a, b in pairwise(cells))
            assert cells[-1].right == pytest.approx(400.0) and max(cells, key=lambda cell: cell.w) is cells[word.named]


def test_a_mark_that_ends_on_the_next_page_is_written_where_its_name_is():
    assistant = Word(14, 3, "assistant", spaced=True, chip=True, named=1)
    assert assistant.piece(14, 2) == replace(assistant, n=2)
    assert assistant.piece(16, 1) == replace(assistant, first=16, n=1, text="", named=0)
    assert assistant.piece(15, 2) == replace(assistant, first=15, n=2, named=0)
