"""What a storyboard is made of: plain data, the same for the same trace."""

from scenes.storyboard.beats.code import (
    CodeStep,
    OpenCode,
    RunCode,
)
from scenes.storyboard.beats.core import (
    Advance,
    Beat,
    Hold,
    Reveal,
    Section,
    Storyboard,
)
from scenes.storyboard.beats.panels import (
    Bar,
    ClosePanel,
    Fact,
    Run,
    ShowBars,
    ShowFacts,
    ShowGather,
)

__all__ = [
    "Advance",
    "Bar",
    "Beat",
    "ClosePanel",
    "CodeStep",
    "Fact",
    "Hold",
    "OpenCode",
    "Reveal",
    "Run",
    "RunCode",
    "Section",
    "ShowBars",
    "ShowFacts",
    "ShowGather",
    "Storyboard",
]
