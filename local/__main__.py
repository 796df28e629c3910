"""Runs the command line of the local engine: ``python -m local``."""

import sys

from local.command_line import main

sys.exit(main())
