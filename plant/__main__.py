"""Run the plant's commands: `python -m plant …`."""

import sys

from plant.cli import main

sys.exit(main())
