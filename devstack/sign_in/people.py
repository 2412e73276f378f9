"""The people who can sign in: one for each role from the start, more by the control door."""

import uuid
from dataclasses import dataclass

DIRECTORY = uuid.uuid5(uuid.NAMESPACE_DNS, "directory.ocs.example")
"""The directory (Entra's tenant) of everybody here: the claim `tid`."""
CLIENT_ID = str(uuid.uuid5(uuid.NAMESPACE_DNS, "app.ocs.example"))
"""The app's own id in the directory, for which tokens are made out."""


@dataclass(frozen=True)
class Person:
    """Somebody in the directory; `oid` names the person in every token, `key` at the control door."""

    key: str
    name: str
    user_name: str
    oid: str

    @property
    def sub(self) -> str:
        """The subject: another one than the `oid`, as Entra makes it for each person and app."""
        return uuid.uuid5(uuid.UUID(self.oid), CLIENT_ID).hex


def oid_of(key: str) -> str:
    """Give the object id of a person whose id nobody chose; the same for the same key, always."""
    return str(uuid.uuid5(DIRECTORY, key))


def _known(key: str, name: str) -> Person:
    return Person(key, name, f"{key}@ocs.example", oid_of(key))


PEOPLE = (
    _known("super-admin", "Sam Super-Admin"),
    _known("tenant-admin", "Tess Tenant-Admin"),
    _known("manager", "Max Manager"),
    _known("staff", "Stella Staff"),
    _known("viewer", "Vic Viewer"),
)
"""Known from the start, named for the roles that the demo and the tests grant them."""
