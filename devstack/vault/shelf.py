"""The secrets and their versions: in memory, and in a file of mode 0600 when one is given."""

import json
import os
import re
import time
import uuid
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from devstack.vault.errors import Refused, disabled, malformed, not_found

NAME = re.compile(r"[0-9a-zA-Z-]{1,127}")
LONGEST_VALUE = 25_600
"""Bytes; learn.microsoft.com, "About Azure Key Vault secrets"."""


@dataclass(frozen=True)
class Version:
    """One version of a secret; times are whole seconds since 1970 in UTC."""

    id: str
    value: str = field(repr=False)
    created: int
    updated: int
    enabled: bool = True
    not_before: int | None = None
    expires: int | None = None
    content_type: str | None = None
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """What a caller may set on a version beside its value; None leaves a thing as it is."""

    enabled: bool | None = None
    not_before: int | None = None
    expires: int | None = None
    content_type: str | None = None
    tags: dict[str, str] | None = None

    def on(self, version: Version) -> Version:
        """Give the version as changed now."""
        wanted = {name: value for name, value in asdict(self).items() if value is not None}
        return replace(version, updated=int(time.time()), **wanted)


class Shelf:
    """All secrets by name, oldest version first, and those that were deleted and not yet purged."""

    def __init__(self, state: Path | None = None) -> None:
        """Start with what the state file holds, or with nothing."""
        self._state = state
        self._live: dict[str, list[Version]] = {}
        self._deleted: dict[str, list[Version]] = {}
        if state is not None and state.exists():
            kept = json.loads(state.read_text())
            self._live, self._deleted = (
                {name: [Version(**row) for row in rows] for name, rows in part.items()} for part in kept
            )

    def put(self, name: str, value: str, change: Change) -> Version:
        """Add a version and give it; raises Refused for a bad name, a too long value or a deleted secret's name."""
        if not NAME.fullmatch(name):
            raise malformed(f"The request URI contains an invalid name: {name}")
        if len(value.encode()) > LONGEST_VALUE:
            raise malformed(f"The secret value is longer than {LONGEST_VALUE} bytes")
        if name in self._deleted:
            message = f"Secret {name} is currently in a deleted but recoverable state, and its name cannot be reused."
            raise Refused(409, "Conflict", message, inner="ObjectIsDeletedButRecoverable")
        now = int(time.time())
        version = change.on(Version(id=uuid.uuid4().hex, value=value, created=now, updated=now))
        self._live.setdefault(name, []).append(version)
        self._keep()
        return version

    def value(self, name: str, version_id: str | None) -> Version:
        """Give a version, or the newest; raises Refused when it is missing or disabled."""
        version = self._version(name, version_id)
        if not version.enabled:
            raise disabled()
        return version

    def change(self, name: str, version_id: str, change: Change) -> Version:
        """Change a version's properties and give it; raises Refused when it is missing."""
        old = self._version(name, version_id)
        new = change.on(old)
        versions = self._live[name]
        versions[versions.index(old)] = new
        self._keep()
        return new

    def versions(self, name: str) -> list[Version]:
        """Give all versions of a secret, oldest first; raises Refused when there is no such secret."""
        if name not in self._live:
            raise not_found(name)
        return list(self._live[name])

    def newest(self) -> list[tuple[str, Version]]:
        """Give every secret's name and newest version, by name."""
        return [(name, versions[-1]) for name, versions in sorted(self._live.items())]

    def delete(self, name: str) -> Version:
        """Put a secret among the deleted ones and give its newest version; raises Refused when it is missing."""
        newest = self._version(name, None)
        self._deleted[name] = self._live.pop(name)
        self._keep()
        return newest

    def deleted(self, name: str) -> Version:
        """Give the newest version of a deleted secret; raises Refused when it is missing."""
        if name not in self._deleted:
            raise not_found(name)
        return self._deleted[name][-1]

    def purge(self, name: str) -> None:
        """Forget a deleted secret, so that its name is free again; raises Refused when it is missing."""
        self.deleted(name)
        del self._deleted[name]
        self._keep()

    def _version(self, name: str, version_id: str | None) -> Version:
        versions = self.versions(name)
        found = [version for version in versions if version_id in (None, version.id)]
        if not found:
            raise not_found(f"{name}/{version_id}")
        return found[-1]

    def _keep(self) -> None:
        if self._state is None:
            return
        parts = [
            {name: [asdict(version) for version in versions] for name, versions in part.items()}
            for part in (self._live, self._deleted)
        ]
        draft = self._state.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(parts, file)
        draft.replace(self._state)
