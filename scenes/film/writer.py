"""Manim's file writer for films: one encoder for each section, which is told what has changed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from manim.scene.scene_file_writer import SceneFileWriter

from scenes.draw.screen import Area
from scenes.film.encoder import Encoder


class FilmWriter(SceneFileWriter):
    """Writes a file for each section, where Manim writes one for each animation and joins them.

    Its errors are those of PyAV, which are OSError where something cannot be written.
    """

    def __init__(self, settings: Any) -> None:
        self.encoder: Encoder | None = None
        super().__init__(settings)

    def next_section(self, name: str, type_: str, skip_animations: bool) -> None:
        """What follows goes into a file of its own."""
        self._close()
        super().next_section(name, type_, skip_animations)

    def is_already_cached(self, hash_invocation: str) -> bool:
        """Never: no animation has a file."""
        return False

    def add_partial_movie_file(self, hash_animation: str | None) -> None:
        """Nothing: no animation has a file."""

    def begin_animation(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: animations follow one another in a file."""

    def end_animation(self, allow_write: bool = False) -> None:
        """Nothing: animations follow one another in a file."""

    def write_frame(  # type: ignore[override]
        self, pixels: np.ndarray, *, repeat: int = 1, changed: Sequence[Area] | None = None
    ) -> None:
        """Write a picture `repeat` times, of which the areas `changed` (None: all) are not as in the one before.

        `pixels` stay the caller's.
        """
        if not self.output_spec.is_video:
            super().write_frame(pixels, repeat=repeat)
            return
        if self.encoder is None:
            assert self.video_encoder is not None
            path = self.output_plan.segment_path(f"section_{len(self.partial_movie_files):05}")
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            self.partial_movie_files.append(str(path))
            self.sections[-1].partial_movie_files.append(str(path))
            self.encoder, changed = Encoder(Path(path), self.video_encoder), None
        self.encoder.put(pixels, changed, repeat)

    def finish(self) -> None:
        """End the last file, then put all together as Manim does."""
        self._close()
        super().finish()

    def abort_encode_jobs(self, reraise_encoder_failures: bool = False) -> None:
        """Give the file up that is being written."""
        encoder, self.encoder = self.encoder, None
        if encoder is not None:
            encoder.abort()

    def _close(self) -> None:
        encoder, self.encoder = self.encoder, None
        if encoder is not None:
            encoder.close()
