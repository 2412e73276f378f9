"""`python -m devstack.package`: writes dist/ocs.zip and says what is in it.

The zip is the same for the same files, byte for byte: names in order, no times, no owners. So whoever builds a commit
again can compare what was deployed. The libraries are not in it: Azure installs requirements.txt (a remote build).
"""

import argparse
import hashlib
import zipfile
from pathlib import Path

from devstack.package.chosen import chosen, rules_of
from devstack.processes import REPO_ROOT

THE_SAME_TIME = (1980, 1, 1, 0, 0, 0)
"""The earliest that a zip can tell."""
READABLE = 0o644 << 16
UNIX = 3


def build(root: Path, target: Path) -> list[str]:
    """Write the package of a tree to a zip; gives the names in it. Raises ValueError for rules it cannot read."""
    rules = rules_of((root / ".funcignore").read_text(encoding="utf-8"))
    files = {path.relative_to(root).as_posix(): path for path in chosen(root, rules)}
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        for name, path in files.items():
            entry = zipfile.ZipInfo(name, THE_SAME_TIME)
            entry.compress_type, entry.external_attr, entry.create_system = zipfile.ZIP_DEFLATED, READABLE, UNIX
            package.writestr(entry, path.read_bytes())
    return list(files)


def main() -> None:
    """Build the package of this tree."""
    parser = argparse.ArgumentParser(prog="python -m devstack.package", description=__doc__)
    parser.add_argument("--to", type=Path, default=REPO_ROOT / "dist" / "ocs.zip", help="where the zip is written")
    target = parser.parse_args().to
    names = build(REPO_ROOT, target)
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    print(f"{target}: {len(names)} files, {target.stat().st_size:,} bytes, sha256 {digest}")


if __name__ == "__main__":
    main()
