"""Rules of the picture, checked while a film is rehearsed."""
