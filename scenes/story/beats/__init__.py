"""What a storyboard is made of: plain data, the same for the same trace."""

from scenes.story.beats.charts import Chart, Curve, Limit, Peak
from scenes.story.beats.chat import Cards, MakeRoom, PointAt, PointAway, ReadCard, Speakers
from scenes.story.beats.code import CodeStep, OpenCode, RunCode
from scenes.story.beats.core import Advance, Beat, Hold, Prop, Reveal, Section, Storyboard
from scenes.story.beats.panels import Bar, ClosePanel, Fact, PageKey, ShowBars, ShowFacts, ShowGather, ShowKeys, SlotRun
from scenes.story.beats.scale import Focus, OpenLens, Spotlight, TimeLapse
from scenes.story.beats.states import ShowStates

__all__ = [
    "Advance",
    "Bar",
    "Beat",
    "Cards",
    "Chart",
    "ClosePanel",
    "CodeStep",
    "Curve",
    "Fact",
    "Focus",
    "Hold",
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
    "SlotRun",
    "RunCode",
    "Section",
    "ShowBars",
    "ShowFacts",
    "ShowGather",
    "ShowKeys",
    "ShowStates",
    "Speakers",
    "Spotlight",
    "Storyboard",
    "TimeLapse",
]
