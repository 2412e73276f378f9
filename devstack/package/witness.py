"""Runs the functions host, and at its end writes from which file each loaded module came: `witness.py OUT WORDS…`.

So a test can prove which libraries an app ran on.
"""

import atexit
import json
import sys
from pathlib import Path

from devstack.host import __main__ as host


def main() -> int:
    """Run the host with the rest of the words; gives its exit code."""
    out = Path(sys.argv.pop(1))
    atexit.register(lambda: out.write_text(json.dumps(loaded()), encoding="utf-8"))
    return host.main()


def loaded() -> dict[str, str]:
    """Give the modules of this process that came from a file, by name."""
    files = {name: getattr(module, "__file__", None) for name, module in sys.modules.items()}
    return {name: file for name, file in files.items() if file}


if __name__ == "__main__":
    sys.exit(main())
