"""A browser for tests: Debian's Chromium, driven by playwright, where both are there."""

from __future__ import annotations

import shutil

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium; skips where it or playwright is not installed."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: ./setup.sh browser")
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: ./setup.sh browser")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


SHADE = """
() => {
  const shown = document.querySelector("#stage > .shown");
  if (!shown || shown.id === "words") return -1;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 8;
  const context = canvas.getContext("2d");
  context.drawImage(shown, 0, 0, 8, 8);
  return context.getImageData(4, 4, 1, 1).data[0];
}
"""
"""The grey, of 255, in the middle of what a deck's page shows; -1 for words."""
