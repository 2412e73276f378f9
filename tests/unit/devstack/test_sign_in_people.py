"""The people of the sign-in stand-in are the same everywhere and for ever: grants are made out to their ids."""

import uuid

import devstack.sign_in
from devstack.sign_in.people import PEOPLE, oid_of


def test_the_table_of_people_holds_their_ids() -> None:
    """It is what people copy from."""
    table = devstack.sign_in.__doc__ or ""
    assert [person.key for person in PEOPLE] == ["super-admin", "tenant-admin", "manager", "staff", "viewer"]
    assert not [person.key for person in PEOPLE if f"| `{person.key}` | {person.oid} |" not in table]


def test_ids_are_uuids_and_nobodys_subject_is_an_id() -> None:
    ids = {person.oid for person in PEOPLE}
    assert len({uuid.UUID(one) for one in ids}) == len(PEOPLE)
    assert not ids & {person.sub for person in PEOPLE}
    assert all(person.oid == oid_of(person.key) for person in PEOPLE)
