"""A token that is refused: it has no slot, and the page that it stands before has none for it."""

from __future__ import annotations

from collections.abc import Mapping

from scenes.truth.vouching import shows, vouches
from scenes.truth.witness import Witness


@vouches("token.newest")
def newest(witness: Witness, task: str, at: int) -> int:
    """Which of its tokens, from 1, is its newest."""
    return witness.state(at).tasks[task].n_tokens


@shows("knock", fades=True)
def knock(witness: Witness, at: int, shown: Mapping) -> tuple:
    """The request and the page, if the token has no slot yet and the page is neither free nor its own with room."""
    task, page = shown["knock"]
    state = witness.state(at)
    if state.tasks[task].kv_len >= state.tasks[task].n_tokens:
        return task, "the token has a slot"
    if page is None or state.page_state(page) == "in use":
        return task, page
    return task, f"page {page} is {state.page_state(page)}"
