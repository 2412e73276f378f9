"""Which files `.funcignore` lets through: its rules are those of a .gitignore, of which it uses a few.

Understood are `/` in front (anchored), `/` behind (folders only), `!` (let through again) and `*`. The last rule that
matches decides. As in git, a file under a folder that is left out cannot be let through.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath


@dataclass(frozen=True)
class Rule:
    """One line of the file."""

    pattern: str
    leaves_out: bool
    anchored: bool
    folders_only: bool

    def matches(self, path: PurePosixPath, *, is_folder: bool) -> bool:
        """Tell whether the rule speaks of this path, which is relative to the root."""
        if self.folders_only and not is_folder:
            return False
        if self.anchored and len(path.parts) > 1:
            return False
        return fnmatchcase(path.name, self.pattern)


def rules_of(text: str) -> list[Rule]:
    """Read the rules; raises ValueError for one that this reader does not understand."""
    lines = [line.strip() for line in text.splitlines()]
    return [_rule(line) for line in lines if line and not line.startswith("#")]


def chosen(root: Path, rules: Sequence[Rule]) -> Iterator[Path]:
    """Give the files under the root that are let through, in the order of their names."""
    yield from _chosen_in(root, root, rules)


def _rule(line: str) -> Rule:
    pattern = line.removeprefix("!")
    body = pattern.strip("/")
    if "**" in body or "[" in body or "/" in body:
        raise ValueError(f".funcignore: {line!r} is not among what is understood here")
    return Rule(body, not line.startswith("!"), pattern.startswith("/"), pattern.endswith("/"))


def _chosen_in(root: Path, folder: Path, rules: Sequence[Rule]) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        relative = PurePosixPath(path.relative_to(root).as_posix())
        speaking = [rule for rule in rules if rule.matches(relative, is_folder=path.is_dir())]
        if speaking and speaking[-1].leaves_out:
            continue
        if path.is_dir():
            yield from _chosen_in(root, path, rules)
        else:
            yield path
