"""Parts of the picture, one module each: what they look like for a moment of a run, and what they read back."""
