"""What a storyboard is made of: plain data, the same for the same trace."""

from scenes.storyboard.beats.charts import Chart, Curve, Limit, Peak
from scenes.storyboard.beats.chat import (
    Cards,
    MakeRoom,
    PointAt,
    PointAway,
    ReadCard,
    Speakers,
)
from scenes.storyboard.beats.code import (
    CodeStep,
    OpenCode,
    RunCode,
)
from scenes.storyboard.beats.core import (
    Advance,
    Beat,
    Hold,
    Prop,
    Reveal,
    Section,
    Storyboard,
)
from scenes.storyboard.beats.lanes import Lane, Lanes, ShowSteps, StepTokens
from scenes.storyboard.beats.memory import (
    Contiguous,
    RunOn,
    ShowLoads,
    ShowVersus,
    Versus,
)
from scenes.storyboard.beats.panels import (
    Bar,
    ClosePanel,
    Fact,
    PageKey,
    Run,
    ShowBars,
    ShowFacts,
    ShowGather,
    ShowKeys,
)
from scenes.storyboard.beats.scale import Focus, OpenLens, Spotlight, TimeLapse
from scenes.storyboard.beats.states import ShowStates

__all__ = [
    "Advance",
    "Bar",
    "Beat",
    "Cards",
    "Chart",
    "ClosePanel",
    "CodeStep",
    "Contiguous",
    "Curve",
    "Fact",
    "Focus",
    "Hold",
    "Lane",
    "Lanes",
    "Limit",
    "MakeRoom",
    "OpenCode",
    "OpenLens",
    "PageKey",
    "Peak",
    "PointAt",
    "PointAway",
    "Prop",
    "ReadCard",
    "Reveal",
    "Run",
    "RunCode",
    "RunOn",
    "Section",
    "ShowBars",
    "ShowFacts",
    "ShowGather",
    "ShowKeys",
    "ShowLoads",
    "ShowStates",
    "ShowSteps",
    "ShowVersus",
    "Speakers",
    "Spotlight",
    "StepTokens",
    "Storyboard",
    "TimeLapse",
    "Versus",
]
