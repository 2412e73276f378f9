"""The operator's command line: `python -m ocs --help`."""

import sys

from ocs.cli import main

sys.exit(main())
