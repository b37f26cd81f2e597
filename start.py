#!/usr/bin/env python3
"""The one script of a fresh machine: demo, test, check, bench, screenshots.

Needs Python 3.11 or newer and a network; makes everything else itself, below this folder.
`python3 start.py COMMAND --help` explains each command.
"""

import sys

if sys.version_info < (3, 11):  # before anything newer is read
    sys.exit(
        f"start.py needs Python 3.11 or newer; this is {sys.version.split()[0]}\n"
        "Install a newer Python and call it by name, for example: python3.11 start.py demo"
    )

from startup.commands import main

if __name__ == "__main__":
    sys.exit(main())
