"""Where the tests' browser is looked for, and what is said where there is none."""

import os
from pathlib import Path

import pytest

from devstack.browser import NoBrowserError, chromium


def program(folder: Path, name: str) -> str:
    """Put a program into a folder."""
    path = folder / name
    path.write_text("#!/bin/sh\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have the PATH lead to an empty folder, and nobody be root."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    return tmp_path


def test_a_browser_is_found_by_its_usual_names(path: Path) -> None:
    chrome = program(path, "google-chrome")
    assert chromium() == chrome
    own = program(path, "chromium")
    assert chromium() == own


def test_the_one_that_is_named_is_taken(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(path, "chromium")
    named = program(path, "my-chrome")
    monkeypatch.setenv("CHROMIUM", named)
    assert chromium() == named
    monkeypatch.setenv("CHROMIUM", str(path / "none"))
    with pytest.raises(NoBrowserError, match=r"CHROMIUM is .*none, which is no program here"):
        chromium()


@pytest.mark.usefixtures("path")
def test_without_one_and_without_the_right_to_install_it_says_what_to_do() -> None:
    with pytest.raises(NoBrowserError, match=r"apt-get install chromium.*CHROMIUM="):
        chromium()


def test_as_root_it_is_installed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here by a stand-in of apt-get, which puts a program where the package would."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    apt_get = path / "apt-get"
    made = path / "chromium"
    apt_get.write_text(f'#!/bin/sh\n[ "$1" = update ] || {{ : > {made}; /bin/chmod 755 {made}; }}\n', encoding="utf-8")
    apt_get.chmod(0o755)
    assert chromium() == str(made)


def test_an_installation_that_fails_says_why(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    apt_get = path / "apt-get"
    apt_get.write_text("#!/bin/sh\necho no such mirror >&2\nexit 100\n", encoding="utf-8")
    apt_get.chmod(0o755)
    with pytest.raises(NoBrowserError, match="apt-get update --quiet failed: no such mirror"):
        chromium()
