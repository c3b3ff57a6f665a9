"""``python -m gcsync``."""

from gcsync.cli.main import main

if __name__ == "__main__":
    main()
