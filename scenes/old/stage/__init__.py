"""The stage: the mobjects of a section, and how beats change them."""
