"""What a storyboard is made of: plain data, the same for the same trace."""

from scenes.story.beats.charts import Chart, Curve, Limit, Peak
from scenes.story.beats.code import CodeStep, OpenCode, RunCode
from scenes.story.beats.core import Advance, Beat, Hold, Prop, Reveal, Section, Storyboard
from scenes.story.beats.memory import Contiguous, RunOn, ShowLoads, ShowVersus, Versus
from scenes.story.beats.panels import Bar, ClosePanel, Fact, ShowBars, ShowFacts, ShowGather, SlotRun
from scenes.story.beats.scale import Focus, OpenLens, Spotlight, TimeLapse

__all__ = [
    "Advance",
    "Bar",
    "Beat",
    "Chart",
    "ClosePanel",
    "CodeStep",
    "Contiguous",
    "Curve",
    "Fact",
    "Focus",
    "Hold",
    "Limit",
    "OpenCode",
    "OpenLens",
    "Peak",
    "Prop",
    "Reveal",
    "SlotRun",
    "RunCode",
    "RunOn",
    "Section",
    "ShowBars",
    "ShowFacts",
    "ShowGather",
    "ShowLoads",
    "ShowVersus",
    "Spotlight",
    "Storyboard",
    "TimeLapse",
    "Versus",
]
