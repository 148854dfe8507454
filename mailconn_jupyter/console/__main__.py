"""``python -m mailconn_jupyter.console``: where no folder of scripts is on the PATH."""

from __future__ import annotations

import sys

from .run_line import main

if __name__ == "__main__":
    sys.exit(main())
