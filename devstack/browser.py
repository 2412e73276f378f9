"""Where a Chromium is that the tests of the page can drive; as root on a Debian it is installed where it is missing.

Playwright's own download is not used: it needs its own servers, and brings a browser for each version of itself.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
VARIABLE = "CHROMIUM"
PACKAGE = "chromium"
INSTALL_SECONDS = 900


class NoBrowserError(RuntimeError):
    """There is no Chromium here, and this process may not install one; the text says what to do."""


def chromium() -> str:
    """Give the path of a Chromium, installed if need be; raises NoBrowserError."""
    named = os.environ.get(VARIABLE)
    if named:
        found = shutil.which(named)
        if found is None:
            raise NoBrowserError(f"{VARIABLE} is {named}, which is no program here")
        return found
    return _found() or _installed()


def _found() -> str | None:
    return next((path for path in map(shutil.which, NAMES) if path is not None), None)


def _installed() -> str:
    apt_get = shutil.which("apt-get")
    if apt_get is None or os.geteuid() != 0:
        raise NoBrowserError(
            f"the page is tested in a real browser, and there is none here: install the package {PACKAGE} "
            f"(Debian and its kin: apt-get install {PACKAGE}), or say where one is with {VARIABLE}=/path/to/chrome"
        )
    print(f"installing {PACKAGE} for the tests of the page (once; some minutes)", flush=True)
    _run([apt_get, "update", "--quiet"])
    _run([apt_get, "install", "--yes", "--quiet", "--no-install-recommends", PACKAGE])
    found = _found()
    if found is None:
        raise NoBrowserError(f"the package {PACKAGE} is installed, and none of {', '.join(NAMES)} is on the PATH")
    return found


def _run(command: Sequence[str]) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
    )
    if done.returncode:
        raise NoBrowserError(f"{' '.join(command)} failed: {(done.stderr or done.stdout).strip()[-1000:]}")
