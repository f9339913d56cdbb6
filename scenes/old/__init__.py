"""The drawing that films not yet told in the picture language use."""
