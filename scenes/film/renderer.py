"""Manim's renderer for films: a picture is drawn where it changes, and what changed is told to the file writer."""

from collections.abc import Iterable
from typing import Any

from manim import CairoRenderer, Mobject, Scene

from scenes.draw.camera import FilmCamera
from scenes.draw.screen import Area, Screen
from scenes.film.writer import FilmWriter


class FilmRenderer(CairoRenderer):
    """Draws with `FilmCamera` and writes with `FilmWriter`."""

    camera: Any

    def __init__(self, skip_animations: bool = False) -> None:
        super().__init__(FilmWriter, FilmCamera, skip_animations)
        self.screen = Screen(self.camera)
        self.changed: list[Area] = []

    def save_static_frame_data(self, scene: Scene, static_mobjects: Iterable[Mobject]) -> None:
        """Nothing: the screen keeps what stands still."""

    def update_frame(self, scene: Scene, mobjects: Iterable[Mobject] | None = None, *args: Any, **kwargs: Any) -> None:
        """Bring the picture to what is on the scene, whatever of it may move."""
        self.changed += self.screen.show(scene.mobjects)

    def render(self, scene: Scene, time: float, moving_mobjects: Iterable[Mobject] | None = None) -> None:
        """Draw and write one frame."""
        self.update_frame(scene)
        self.add_frame(self.camera.pixel_array)

    def freeze_current_frame(self, duration: float) -> None:
        """Write the picture for `duration` seconds."""
        self.add_frame(self.camera.pixel_array, int(duration * self.camera.frame_rate))

    def add_frame(self, frame: Any, num_frames: int = 1) -> None:
        """Write the picture so many times; of its pixels those that are needed are copied."""
        if self.skip_animations:
            return
        self.time += num_frames / self.camera.frame_rate
        self.file_writer.write_frame(frame, repeat=num_frames, changed=self.changed)
        self.changed = []
