"""The base of the film's animations."""

from typing import Any

from manim import Animation, Mobject, Scene, linear

Extent = tuple[float, float, float, float]


class FilmAnimation(Animation):
    """An animation of `seconds` of what is on the scene already.

    Unlike Manim's own it keeps no copy of the mobject: a subclass notes in `prepare` what it needs and sets the state
    for a progress of 0..1 in `apply`. `extents` names every place that is covered meanwhile, which lets the scene
    leave everything else out of the redrawing.
    """

    mobject: Any
    whole: bool = False
    """Whether what it shows comes and goes on the way, so that the whole picture is drawn anew."""

    def __init__(self, mobject: Mobject, seconds: float) -> None:
        super().__init__(mobject, run_time=seconds, rate_func=linear, introducer=True)
        self.seconds = seconds

    def prepare(self) -> None:
        """Note the state to start from; called once, when the animation begins."""

    def apply(self, progress: float) -> None:
        """Set the mobject's state for `progress` (0 at the start, 1 at the end)."""
        raise NotImplementedError

    def extents(self) -> list[Extent]:
        """Left, bottom, right, top, in Manim units, of every place that may be covered; none where it is `whole`."""
        return []

    def create_starting_mobject(self) -> Mobject:
        return self.mobject

    def get_all_mobjects(self) -> tuple[Mobject]:
        return (self.mobject,)

    def _setup_scene(self, scene: Scene) -> None:
        """What it moves is on the scene."""

    def begin(self) -> None:
        self.prepare()
        self.apply(0.0)

    def interpolate(self, alpha: float) -> None:
        self.apply(min(1.0, max(0.0, alpha)))

    def finish(self) -> None:
        self.apply(1.0)
