"""Credentials: tried before they are kept, never shown again, and kept from everybody else."""

from typing import Any

import httpx
import pytest

from ocs.delivery import sender
from ocs.runtime import Runtime
from ocs.web.roles import Role
from tests.integration.onboarding import LADDER, OTHER_CROL, add_other_tenant, calling_as, whole_database
from tests.integration.platform import CROL, FIRST, Answer, Platform, status
from tests.integration.pos import rows, sell

CREDENTIALS = "/api/ocs/credentials"
NEW_SECRET = "n3w-Secret~of-the-client"
NEW_KEY = "0123456789abcdefABCDEF" + "7" * 42
ROTATION = {"tenant": CROL, "connection": "uat", "client_secret": NEW_SECRET}


def let_in_only(*secrets: str) -> Answer:
    """Give a token for these client secrets only."""

    def answer(request: httpx.Request) -> httpx.Response:
        form = dict(httpx.QueryParams(request.content.decode()))
        if form["client_secret"] in secrets:
            return httpx.Response(200, json={"access_token": f"token-for-{form['client_id']}", "expires_in": 3600})
        return httpx.Response(401, json={"error": "invalid_client"})

    return answer


async def _acts(runtime: Runtime) -> list[dict[str, Any]]:
    return await rows(runtime, "select what, subject, who_name, before, after, why from audit_acts order by act_id")


async def test_a_secret_that_is_let_in_is_kept_and_noted(
    runtime: Runtime, platform: Platform, staff: httpx.AsyncClient
) -> None:
    platform.token_answers = [let_in_only(NEW_SECRET)]
    reply = await staff.post(CREDENTIALS, json=ROTATION | {"client_id": "client-2"}, headers={"Ocs-Why": "yearly"})
    assert reply.status_code == 200, reply.text
    assert (reply.json()["checked"], reply.json()["kept"]) == (True, ["client-secret"])
    assert platform.vault().secrets["client-secret"] == NEW_SECRET
    assert platform.vault().before == {"client-secret": "s3cret"}
    assert await rows(runtime, "select client_id from connections") == [{"client_id": "client-2"}]
    (act,) = await _acts(runtime)
    assert (act["what"], act["subject"], act["why"]) == ("credentials.kept", "uat", "yearly")
    assert (act["before"], act["after"]["client_id"]) == ({"client_id": "client"}, "client-2")


async def test_a_refused_secret_is_not_kept_and_said_in_words(
    runtime: Runtime, platform: Platform, staff: httpx.AsyncClient
) -> None:
    platform.token_answers = [let_in_only("another")]
    reply = await staff.post(CREDENTIALS, json=ROTATION | {"unchecked": True})
    assert reply.status_code == 422
    (fault,) = reply.json()["errors"]
    assert fault["field"] == "client_secret"
    assert "refused this client id and secret" in fault["expected"]
    assert platform.vault().secrets["client-secret"] == "s3cret"
    assert await rows(runtime, "select * from kept_secrets") == []
    assert await _acts(runtime) == []


async def test_what_cannot_be_checked_is_kept_only_when_said_so_and_noted(
    runtime: Runtime, platform: Platform, staff: httpx.AsyncClient
) -> None:
    platform.token_answers = [status(503), status(503)]
    reply = await staff.post(CREDENTIALS, json=ROTATION)
    assert reply.status_code == 409
    assert "could not be checked" in reply.json()["title"]
    assert platform.vault().secrets["client-secret"] == "s3cret"
    reply = await staff.post(CREDENTIALS, json=ROTATION | {"unchecked": True})
    assert (reply.status_code, reply.json()["checked"]) == (200, False)
    assert platform.vault().secrets["client-secret"] == NEW_SECRET
    assert [act["after"]["checked"] for act in await _acts(runtime)] == [False]


async def test_a_vault_that_is_down_keeps_nothing(
    runtime: Runtime, platform: Platform, staff: httpx.AsyncClient
) -> None:
    platform.vault().down = True
    reply = await staff.post(CREDENTIALS, json=ROTATION)
    assert reply.status_code == 503
    assert await rows(runtime, "select * from kept_secrets") == []
    assert await _acts(runtime) == []


async def test_a_hash_key_is_kept_to_the_letter(runtime: Runtime, platform: Platform, staff: httpx.AsyncClient) -> None:
    body = {"tenant": CROL, "store": FIRST, "hash_key": NEW_KEY, "overlap_hours": 0}
    reply = await staff.post(CREDENTIALS, json=body)
    assert (reply.status_code, reply.json()["checked"], reply.json()["overlap_until"]) == (200, None, None)
    assert platform.vault().secrets["hash-key"] == NEW_KEY
    assert platform.vault().before == {}
    assert [(act["what"], act["subject"]) for act in await _acts(runtime)] == [("hash_key.kept", FIRST)]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"store": FIRST, "hash_key": NEW_KEY[:-1]}, "hash_key"),
        ({"store": FIRST, "hash_key": NEW_KEY[:-1] + "g"}, "hash_key"),
        ({"hash_key": NEW_KEY}, "hash_key"),
        ({"connection": "uat", "client_secret": f" {NEW_SECRET}"}, "client_secret"),
        ({"connection": "uat", "client_secret": ""}, "client_secret"),
        ({"connection": "uat", "client_secret": [NEW_SECRET]}, "client_secret"),
        ({"connection": "uat", "client_secrett": NEW_SECRET}, "client_secrett"),
        ({"connection": "uat", "client_id": NEW_SECRET * 50, "client_secret": NEW_SECRET}, "client_id"),
        ({"connection": "uat"}, "client_secret"),
        ({}, "client_secret"),
    ],
)
async def test_a_wrong_field_is_named_and_its_value_not_quoted(
    platform: Platform, staff: httpx.AsyncClient, body: dict[str, Any], field: str
) -> None:
    reply = await staff.post(CREDENTIALS, json={"tenant": CROL} | body)
    assert reply.status_code == 422
    assert field in {error["field"] for error in reply.json()["errors"]}
    assert NEW_SECRET not in reply.text
    assert NEW_KEY[:20] not in reply.text
    assert platform.vault().secrets == {"client-secret": "s3cret", "hash-key": "a" * 64}


async def test_a_body_that_is_a_secret_itself_is_not_quoted(staff: httpx.AsyncClient) -> None:
    for content in (f'"{NEW_SECRET}"', f'{{"client_secret": "{NEW_SECRET}'):
        reply = await staff.post(CREDENTIALS, content=content, headers={"Content-Type": "application/json"})
        assert reply.status_code == 422
        assert NEW_SECRET not in reply.text


async def test_no_secret_is_left_in_database_replies_or_logs(
    runtime: Runtime,
    platform: Platform,
    staff: httpx.AsyncClient,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """After keeping, rotating, being refused, trying, delivering and looking."""
    caplog.set_level("DEBUG")
    said: list[httpx.Response] = []
    platform.token_answers = [let_in_only(NEW_SECRET), let_in_only("another"), status(500)]
    both = ROTATION | {"store": FIRST, "hash_key": NEW_KEY}
    for _ in range(3):
        said.append(await staff.post(CREDENTIALS, json=both, headers={"Idempotency-Key": f"key-{len(said)}"}))
    assert [reply.status_code for reply in said] == [200, 422, 409]
    said.append(await staff.post(f"{CREDENTIALS}/uat/test", params={"tenant": CROL}))
    taken = await sell(runtime, "T1")
    await sender.answer_bell(runtime, taken.store_id)
    said.append(await staff.get(CREDENTIALS, params={"tenant": CROL}))
    said.append(await staff.get(f"/api/ocs/config/{FIRST}"))
    output = capsys.readouterr()
    everything = [reply.text for reply in said] + [str(reply.headers) for reply in said]
    dumped = await whole_database(runtime)
    assert "credentials.kept" in dumped, "what was looked through is the whole"
    everything += [dumped, output.out, output.err, caplog.text]
    for secret in (NEW_SECRET, NEW_KEY, "s3cret", "a" * 64):
        assert [text for text in everything if secret in text] == []


async def test_the_state_says_everything_but_the_secret(
    runtime: Runtime, platform: Platform, staff: httpx.AsyncClient
) -> None:
    before = (await staff.get(CREDENTIALS, params={"tenant": CROL})).json()
    assert [one["is_set"] for one in (*before["connections"], *before["items"])] == [True] * 4, (
        "put there past this app"
    )
    assert before["connections"][0]["rotated_at"] is None
    await staff.post(CREDENTIALS, json=ROTATION | {"store": FIRST, "hash_key": NEW_KEY})
    platform.answers = [status(401), status(401), status(401)]
    taken = await sell(runtime, "T1")
    await sender.answer_bell(runtime, taken.store_id)
    refused = (await staff.get(CREDENTIALS, params={"tenant": CROL})).json()
    assert refused["connections"][0]["last_refused_at"] is not None
    assert [one["refused_since"] is not None for one in refused["items"]] == [True, False, False]
    async with runtime.pool.transaction() as connection:
        await connection.execute("update delivery_streams set due_at = now()")
    await sender.answer_bell(runtime, taken.store_id)
    state = (await staff.get(CREDENTIALS, params={"tenant": CROL})).json()
    (uat,), store = state["connections"], state["items"][0]
    assert (uat["rotated_by"], uat["checked"], uat["last_try"]["outcome"]) == ("super admin", True, "accepted")
    assert uat["overlap_until"] > uat["rotated_at"]
    assert uat["last_good_at"] > uat["last_refused_at"]
    assert (store["crsa"], store["rotated_by"], store["refused_since"]) == (FIRST, "super admin", None)
    assert store["last_good_at"] is not None


async def test_what_is_not_set_is_shown_as_such_and_an_absent_vault_as_unknown(
    platform: Platform, staff: httpx.AsyncClient
) -> None:
    del platform.vault().secrets["hash-key"]
    state = (await staff.get(CREDENTIALS, params={"tenant": CROL})).json()
    assert [one["is_set"] for one in (*state["connections"], *state["items"])] == [True, False, False, False]
    platform.vault().down = True
    state = (await staff.get(CREDENTIALS, params={"tenant": CROL})).json()
    assert [one["is_set"] for one in (*state["connections"], *state["items"])] == [None] * 4


async def test_the_state_comes_in_pages_of_stores(staff: httpx.AsyncClient) -> None:
    first = (await staff.get(CREDENTIALS, params={"tenant": CROL, "limit": 2})).json()
    rest = (await staff.get(CREDENTIALS, params={"tenant": CROL, "limit": 2, "cursor": first["next"]})).json()
    assert [len(page["items"]) for page in (first, rest)] == [2, 1]
    assert rest["next"] is None


@pytest.mark.parametrize(
    ("answer", "outcome", "said"),
    [
        (let_in_only("s3cret"), "accepted", "gave a token"),
        (status(401), "refused", "HTTP 401"),
        (status(503), "not_answered", "HTTP 503"),
    ],
)
async def test_a_try_says_what_the_sign_in_said(
    runtime: Runtime, platform: Platform, staff: httpx.AsyncClient, answer: Answer, outcome: str, said: str
) -> None:
    platform.token_answers = [answer]
    (row,) = await rows(runtime, "select connection_id from connections")
    reply = await staff.post(f"{CREDENTIALS}/{row['connection_id']}/test")
    assert (reply.status_code, reply.json()["outcome"]) == (200, outcome)
    assert said in reply.json()["said"]
    assert [act["what"] for act in await _acts(runtime)] == ["credentials.tried"]


async def test_a_try_without_a_kept_secret_says_so(platform: Platform, staff: httpx.AsyncClient) -> None:
    del platform.vault().secrets["client-secret"]
    reply = await staff.post(f"{CREDENTIALS}/uat/test", params={"tenant": CROL})
    assert (reply.json()["outcome"], "no secret named client-secret" in reply.json()["said"]) == ("refused", True)


async def test_a_try_during_a_rotation_says_which_of_the_two_was_let_in(
    platform: Platform, staff: httpx.AsyncClient
) -> None:
    platform.vault().before["client-secret"] = "older"
    platform.token_answers = [let_in_only("older")] * 2
    reply = await staff.post(f"{CREDENTIALS}/uat/test", params={"tenant": CROL})
    assert (reply.json()["outcome"], reply.json()["version"]) == ("accepted", "before")


@pytest.mark.parametrize("role", LADDER)
async def test_only_an_administrator_of_the_tenant_sees_or_keeps_credentials(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, role: Role
) -> None:
    expected = 200 if role is Role.TENANT_ADMIN else 403
    async with calling_as(runtime, monkeypatch, role) as client:
        assert (await client.get(CREDENTIALS, params={"tenant": CROL})).status_code == expected
        assert (await client.post(CREDENTIALS, json=ROTATION)).status_code == expected
        assert (await client.post(f"{CREDENTIALS}/uat/test", params={"tenant": CROL})).status_code == expected


async def test_another_tenants_credentials_are_not_there(
    runtime: Runtime, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_other_tenant(runtime, platform)
    (row,) = await rows(
        runtime, "select connection_id from connections join tenants using (tenant_id) where crol = 'CROL1234567'"
    )
    async with calling_as(runtime, monkeypatch, Role.TENANT_ADMIN, OTHER_CROL) as client:
        replies = [
            await client.get(CREDENTIALS, params={"tenant": CROL}),
            await client.post(CREDENTIALS, json=ROTATION),
            await client.post(CREDENTIALS, json={"tenant": OTHER_CROL, "store": FIRST, "hash_key": NEW_KEY}),
            await client.post(f"{CREDENTIALS}/{row['connection_id']}/test"),
            await client.post(f"{CREDENTIALS}/uat/test", params={"tenant": CROL}),
        ]
    assert [reply.status_code for reply in replies] == [404] * 5
    assert platform.vault().secrets["client-secret"] == "s3cret"


async def test_a_secret_that_serves_two_retailers_is_the_operators(
    runtime: Runtime, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OCS issues one client per POS provider: one retailer's administrator must not lock out the others."""
    await add_other_tenant(runtime, platform, client_secret_name="CLIENT-SECRET")
    async with calling_as(runtime, monkeypatch, Role.TENANT_ADMIN) as client:
        reply = await client.post(CREDENTIALS, json=ROTATION)
    assert reply.status_code == 403
    assert OTHER_CROL not in reply.text
    assert platform.vault().secrets["client-secret"] == "s3cret"
