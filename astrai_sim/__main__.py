"""`python -m astrai_sim`."""

from astrai_sim.cli import main

main()
