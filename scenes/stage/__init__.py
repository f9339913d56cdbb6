"""The stage: beats played one after another, each bringing the picture to a later moment of the run."""
