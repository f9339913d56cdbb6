"""The base of the film's animations."""

from typing import Any

from manim import Animation, Mobject, Scene, linear


class FilmAnimation(Animation):
    """An animation of `seconds` of what is on the scene already.

    Unlike Manim's own it keeps no copy of the mobject: a subclass notes in `prepare` what it needs and sets the state
    for a progress of 0..1 in `apply`. What of the picture that changes is found when it is drawn.
    """

    mobject: Any

    def __init__(self, mobject: Mobject, seconds: float) -> None:
        super().__init__(mobject, run_time=seconds, rate_func=linear, introducer=True)
        self.seconds = seconds

    def prepare(self) -> None:
        """Note the state to start from; called once, when the animation begins."""

    def apply(self, progress: float) -> None:
        """Set the mobject's state for `progress` (0 at the start, 1 at the end)."""
        raise NotImplementedError

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

    def skip(self) -> None:
        """Be over, where nobody has seen anything of it: its canvas is an `Unseen` one."""
        self.prepare()
        self.apply(1.0)
