"""Let `python -m inkdigit` be the command line."""

from .cli import main

if __name__ == "__main__":
    main()
