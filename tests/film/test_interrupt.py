"""Clips, decks and promos that are interrupted leave no half file, and the next time go on where they were."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from scenes.film.scene import ASSETS

SMALL = ("--size", "180p", "--fps", "5")
MOMENT = '[[moment]]\nfilm = "{}"\nshow = "{}"\n'
SHOWN = [("PrefixCache", "hook"), ("PrefixCache", "growth"), ("Preemption", "preemption"), ("PrefixSharing", "sharing")]
PROMO = "length = 16\n" + "".join(MOMENT.format(*shown) for shown in SHOWN)


def started(tmp_path, *words: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "scenes", *words, *SMALL],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ASSETS.parent)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def files(tmp_path, pattern: str) -> dict[str, int]:
    """What matches and is done, and which file on the disk it is: one that is written anew is another."""
    found = (path for path in tmp_path.glob(pattern) if not path.name.startswith("."))
    return {str(path.relative_to(tmp_path)): path.stat().st_ino for path in found}


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "words, after, made",
    [
        (
            ("clips", "PrefixCache", "--format", "mp4", "--format", "webm", "-o", "out"),
            "out/0[23]*.mp4",
            "out/*-*.[mw]*",
        ),
        (("slides", "PrefixCache", "-o", "out.html"), "media/decks/*/*.mp4", "media/decks/*/*.mp4"),
        (("promo", "promo.toml", "-o", "out.mp4"), "media/sections/*/*.mp4", "media/sections/*/*.mp4"),
    ],
    ids=["clips", "slides", "promo"],
)
def test_an_interrupted_command_leaves_nothing_half_and_goes_on(tmp_path, words, after, made):
    (tmp_path / "promo.toml").write_text(PROMO)
    with started(tmp_path, *words) as process:
        until = time.monotonic() + 400
        while not files(tmp_path, after) and time.monotonic() < until and process.poll() is None:
            time.sleep(0.02)
        assert process.poll() is None, process.communicate()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in said, said
    assert not [*tmp_path.rglob("*.partial*"), *tmp_path.rglob(".rendering-*"), *tmp_path.glob("out.*")]
    before = files(tmp_path, made)
    assert before
    with started(tmp_path, *words) as process:
        told, said = process.communicate(timeout=600)
    assert process.returncode == 0, said
    now = files(tmp_path, made)
    assert before.items() <= now.items() and len(now) > len(before), "what was there was made again"
    if words[0] == "clips":
        assert told.count("(kept: made of the same frames)") == len(before)
