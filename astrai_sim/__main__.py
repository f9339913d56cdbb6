"""`python -m astrai_sim`."""

from astrai_sim.tools.cli import main

main()
