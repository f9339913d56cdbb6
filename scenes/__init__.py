"""Manim films of a recorded trace: they read traces and never the engine."""
