"""`python -m tinysmith`."""

import sys

from tinysmith.cli import main

sys.exit(main())
