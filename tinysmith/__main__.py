"""`python -m tinysmith`."""

import sys
from pathlib import Path

# `-m` puts the working directory first; nothing there may stand in for an installed module.
sys.path[:] = [place for place in sys.path if place not in {"", str(Path.cwd())}]

from tinysmith.cli import main  # noqa: E402  # after the line above

sys.exit(main())
