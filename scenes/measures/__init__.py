"""Numbers that viewers can read, and the sentences that they stand in.

Whatever a film writes with a digit in it is a `Said`: wording without digits, and measures.
A measure says what of what it is, so that `scenes.check` can have it computed again by
`scenes.truth`. Nothing else of the project is imported here.
"""

from scenes.measures.forms import FORMS, Form
from scenes.measures.measure import Measure, measure
from scenes.measures.said import CutMeasure, Said, clipped, joined, say, written

__all__ = ["FORMS", "Form", "Measure", "CutMeasure", "Said", "clipped", "joined", "measure", "say", "written"]
