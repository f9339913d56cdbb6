"""`python -m scenes`."""

from scenes.cli import main

if __name__ == "__main__":
    main()
