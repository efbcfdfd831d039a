"""``python -m luming`` and the console command ``luming``."""

import sys

from luming.cli import main

if __name__ == "__main__":
    sys.exit(main())
