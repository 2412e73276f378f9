"""Who may call the stand-in: tokens as Entra gives them, hash keys, stores."""

from collections.abc import Callable

import httpx
import pytest

from tests.integration.devstack.regulator_stand_in.conftest import NewStore
from tests.integration.devstack.regulator_stand_in.store import (
    ASN,
    CATALOGUE,
    EVENTS,
    POSITIONS,
    REPORTED_EVENTS,
    Store,
    event,
)

Eventually = Callable[[Callable[[], bool]], None]


def test_a_client_gets_an_opaque_bearer_token(new_store: NewStore) -> None:
    """The lifetime is the one that the control door gave the client, in seconds."""
    reply = new_store(expires_in=1200).sign_in()
    assert reply.status_code == 200
    assert reply.json().items() >= {"token_type": "Bearer", "expires_in": 1200}.items()
    assert len(reply.json()["access_token"]) > 30


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_secret": ""}, 401, "invalid_client"),
        ({"client_id": "nobody"}, 400, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": ""}, 400, "invalid_request"),
        ({"scope": ""}, 400, "invalid_request"),
    ],
)
def test_wrong_credentials_get_no_token(store: Store, changes: dict[str, str], status: int, error: str) -> None:
    reply = store.sign_in(**changes)
    assert (reply.status_code, reply.json()["error"]) == (status, error)
    assert reply.json()["error_description"].startswith("AADSTS")


def test_a_call_without_a_known_token_is_refused(store: Store) -> None:
    store.token = "made-up"
    reply = store.report(event())
    assert reply.status_code == 401
    assert "Bearer" in reply.headers["WWW-Authenticate"]
    assert store.ledger() == []


def test_an_expired_token_is_refused(new_store: NewStore, eventually: Eventually) -> None:
    store = new_store(expires_in=0.2)
    eventually(lambda: store.report(event()).status_code == 401)
    store.token = store.sign_in().json()["access_token"]
    assert store.report(event()).status_code == 200


def test_revoked_tokens_are_refused_and_new_ones_are_not(new_store: NewStore) -> None:
    """Revoking one client's tokens leaves those of others in force."""
    store, other = new_store(), new_store()
    store.control("POST", "tokens/revoke", client_id=store.client_id)
    assert store.report(event()).status_code == 401
    assert other.report(event()).status_code == 200
    store.token = store.sign_in().json()["access_token"]
    assert store.report(event()).status_code == 200


def test_revoking_without_a_client_revokes_all_tokens(new_store: NewStore) -> None:
    stores = [new_store(), new_store()]
    stores[0].control("POST", "tokens/revoke")
    assert [store.report(event()).status_code for store in stores] == [401, 401]


@pytest.mark.parametrize("key", ["", "0" * 64, "upper"])
def test_a_wrong_hash_key_is_refused(store: Store, key: str) -> None:
    """The key counts letter by letter, capitals too."""
    store.hash_key = "ab" * 32
    store.control("PUT", f"stores/{store.crsa}", **store.registration())
    assert store.report(event()).status_code == 200
    store.hash_key = store.hash_key.upper() if key == "upper" else key
    assert store.report(event()).status_code == 401
    assert len(store.ledger()) == 1


def test_a_changed_hash_key_counts_at_once(store: Store) -> None:
    old = store.hash_key
    store.hash_key = "f" * 64
    store.control("PUT", f"stores/{store.crsa}", **store.registration())
    assert store.report(event()).status_code == 200
    store.hash_key = old
    assert store.report(event()).status_code == 401


def test_an_unknown_store_and_one_of_another_client_are_forbidden(new_store: NewStore) -> None:
    store, other = new_store(), new_store()
    store.hash_key, store.crsa = other.hash_key, other.crsa
    assert store.report(event()).status_code == 403
    store.crsa = "CRSA9999999"
    assert store.report(event()).status_code == 403
    assert other.ledger() == []


@pytest.mark.parametrize("path", [ASN, REPORTED_EVENTS])
def test_readings_of_a_store_ask_for_its_hash_key(store: Store, path: str) -> None:
    store.hash_key = "0" * 64
    times = dict.fromkeys(("startDateTime", "endDateTime", "posStartDate", "posEndDate"), "2026-01-01T00:00:00Z")
    assert store.read(path, retailerCRSA=store.crsa, crsa=store.crsa, pageNumber=1, **times).status_code == 401


def test_the_catalogue_asks_for_a_token_only(store: Store) -> None:
    authorization = {"Authorization": f"Bearer {store.token}"}
    assert store.http.get(CATALOGUE, params={"pageNumber": 1}, headers=authorization).status_code == 200
    assert store.http.get(CATALOGUE, params={"pageNumber": 1}).status_code == 401


@pytest.mark.parametrize("missing", ["posVendor", "posVendorVersion", "retailerCRSA", "positionTimeStamp"])
def test_a_report_without_a_parameter_is_refused_by_its_name(store: Store, missing: str) -> None:
    query = store.query() | {"positionTimeStamp": "2026-03-09T23:59:59Z"}
    del query[missing]
    reply = store.http.post(POSITIONS, params=query, json={}, headers=store.headers())
    assert reply.status_code == 400
    assert missing in reply.text


def test_other_paths_and_methods_are_not_found(store: Store) -> None:
    assert store.http.get(EVENTS).status_code == 404
    assert store.http.post("/func/Other").status_code == 404


def test_every_reply_says_that_it_is_a_stand_in(store: Store) -> None:
    """Good, refused, unknown, and of the control door."""
    replies: list[httpx.Response] = [
        store.report(event()),
        store.report(event(ocsSku="")),
        store.sign_in(scope=""),
        store.http.get("/nowhere"),
        store.http.get("/_control/calls"),
        store.http.get("/_control/nowhere"),
    ]
    assert {reply.headers["X-Stand-In"] for reply in replies} == {"not the OCS Data Platform"}
