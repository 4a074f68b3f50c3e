"""`python -m inkdigit` runs the `inkdigit` command."""

from .cli.main import main

if __name__ == "__main__":
    main()
