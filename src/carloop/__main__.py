"""``python -m carloop``."""

from carloop.cli.main import main

if __name__ == "__main__":
    main()
