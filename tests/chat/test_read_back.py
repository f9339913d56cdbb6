"""A word, page or slot that was not recorded so is found and named."""

import copy

import pytest

from scenes.chat import Chat
from scenes.check.compare import differences
from scenes.film.rehearsal import rehearse
from scenes.film.scene import Observer
from scenes.truth import Witness


class Keeper(Observer):
    """Keeps what a film shows after each of its beats, with the event that it is of."""

    def __init__(self):
        self.kept = []

    def beat_ended(self, scene, section, beat):
        self.kept.append((scene.stage.read(), beat.until))


@pytest.fixture(scope="module")
def shown_of(word_scenario):
    keeper = Keeper()
    scene = rehearse(Chat, word_scenario("shared_prefix"), observers=(keeper,)).scene
    witness = Witness.of(scene.trace)

    def find(field, wanted=bool):
        shown, until = next((s, u) for s, u in keeper.kept if field in s and wanted(s[field]))
        return copy.deepcopy(shown), witness, until

    return find


def found(shown, witness, at):
    return {difference.field for difference in differences(shown, witness, at)}


def test_truth_passes(shown_of):
    for field in ("said", "unsaid", "pointer", "cards"):
        assert not found(*shown_of(field))


def test_wrong_word(shown_of):
    shown, *rest = shown_of("said")
    key = max(shown["said"])
    shown["said"][key] = "lie"
    assert found(shown, *rest) == {f"said[{key[0]}, {key[1]}]"}


def test_missing_word(shown_of):
    shown, *rest = shown_of("said")
    key = min(shown["said"])
    del shown["said"][key], shown["kept"][key]
    assert found(shown, *rest) == {f"cut[{key[0]}, 0]"}


def test_word_too_early(shown_of):
    shown, witness, at = shown_of("said")
    task = next(iter(shown["speakers"]))
    last = witness.state(at).tasks[task].n_tokens
    shown["said"][task, last] = "soon"
    assert f"said[{task}, {last}]" in found(shown, witness, at)


def test_wrong_slot(shown_of):
    shown, *rest = shown_of("kept", lambda kept: any(kept.values()))
    key = next(iter(shown["kept"]))
    shown["kept"][key] = not shown["kept"][key]
    assert found(shown, *rest) == {f"kept[{key[0]}, {key[1]}]"}


@pytest.mark.parametrize("field", ["row_pages", "row_colors"])
def test_wrong_page_of_a_row(shown_of, field):
    shown, *rest = shown_of(field, lambda rows: any(rows.values()))
    task, logical = next(iter(shown[field]))
    shown[field][task, logical] = 99 if field == "row_pages" else ("#FFFFFF",)
    assert found(shown, *rest) == {f"{field}[{task}, {logical}]"}


def test_wrong_table(shown_of):
    shown, *rest = shown_of("speakers", lambda heads: any(pages for pages, _ in heads.values()))
    task, (pages, hidden) = next(iter(shown["speakers"].items()))
    shown["speakers"][task] = ([*pages, 7], hidden)
    assert found(shown, *rest) == {f"speakers[{task}]"}


def test_shared_words_must_be_the_same(shown_of):
    shown, *rest = shown_of("unsaid")
    (task, logical), (other, there) = next(iter(shown["unsaid"].items()))
    shown["unsaid"][task, logical] = (other, there + 1)
    assert f"unsaid[{task}, {logical}]" in found(shown, *rest)


def test_pointer_at_the_wrong_slot(shown_of):
    shown, *rest = shown_of("pointer", lambda pointer: "slot" in pointer)
    page, slot = shown["pointer"]["slot"]
    shown["pointer"]["slot"] = (page, slot + 1)
    assert found(shown, *rest) == {"pointer[slot]"}


@pytest.mark.parametrize(("place", "lie"), [(0, "Something else."), (1, [99])])
def test_wrong_card(shown_of, place, lie):
    shown, *rest = shown_of("cards", lambda cards: any(card[0] for card in cards.values()))
    task, card = next(iter(shown["cards"].items()))
    shown["cards"][task] = tuple(lie if i == place else part for i, part in enumerate(card))
    assert found(shown, *rest) == {f"cards[{task}]"}


def test_answer_cut_without_a_mark(shown_of):
    shown, *rest = shown_of("cards", lambda cards: any(card[0] for card in cards.values()))
    task, (answer, *rest_of_card) = next((task, card) for task, card in shown["cards"].items() if len(card[0]) > 5)
    shown["cards"][task] = (answer[:-3], *rest_of_card)
    assert found(shown, *rest) == {f"cards[{task}]"}
