"""While credentials are rotated the version before is good too: where one is refused, the other goes."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from devstack.vault.process import Vault as VaultStandIn
from ocs.azure import vault as vault_of_app
from ocs.azure.identity import Identity
from ocs.azure.vault import Vault
from ocs.clock import utc_now
from ocs.delivery import sender
from ocs.regulator import auth, wire
from ocs.runtime import Runtime
from ocs.settings import Settings
from tests.integration.platform import Platform
from tests.integration.pos import make_due, rows, sell, states

OVERLAP = timedelta(hours=1)
OLD_KEY, NEW_KEY = "a" * 64, "b" * 64


class Gate:
    """Lets in some client secrets and hash keys only, and keeps what was shown to it."""

    def __init__(self, platform: Platform, secrets: set[str], keys: set[str]) -> None:
        """Stand before the platform for as many calls as a test makes."""
        self.secrets, self.keys = secrets, keys
        self.shown_secrets: list[str] = []
        self.shown_keys: list[str] = []
        self._platform = platform
        platform.token_answers = [self._token] * 20
        platform.answers = [self._report] * 20

    def _token(self, request: httpx.Request) -> httpx.Response:
        secret = dict(httpx.QueryParams(request.content.decode()))["client_secret"]
        self.shown_secrets.append(secret)
        if secret not in self.secrets:
            return httpx.Response(401)
        return httpx.Response(200, json={"access_token": f"token-{len(self.shown_secrets)}", "expires_in": 3600})

    def _report(self, request: httpx.Request) -> httpx.Response:
        key = request.headers[wire.HASH_KEY_HEADER]
        self.shown_keys.append(key)
        if key not in self.keys:
            return httpx.Response(403)
        self._platform.record(request)
        return httpx.Response(200, json={"referenceId": f"ref-{len(self.shown_keys)}"})


async def test_a_new_secret_that_is_not_good_yet_stops_nothing(runtime: Runtime, platform: Platform) -> None:
    """OCS may switch a new secret on later than it was told to the retailer."""
    gate = Gate(platform, {"s3cret"}, {OLD_KEY})
    await platform.vault().store("client-secret", "new", overlap=OVERLAP)
    taken = await sell(runtime, "T1")
    await sender.answer_bell(runtime, taken.store_id)
    assert await states(runtime) == ["accepted"]
    assert gate.shown_secrets == ["new", "s3cret"]


async def test_a_new_hash_key_that_is_not_good_yet_stops_nothing_and_is_not_tried_at_each_call(
    runtime: Runtime, platform: Platform
) -> None:
    gate = Gate(platform, {"s3cret"}, {OLD_KEY})
    await platform.vault().store("hash-key", NEW_KEY, overlap=OVERLAP)
    for number in ("T1", "T2", "T3"):
        taken = await sell(runtime, number)
        await sender.answer_bell(runtime, taken.store_id)
    assert await states(runtime) == ["accepted"] * 3
    assert gate.shown_keys == [NEW_KEY, NEW_KEY, OLD_KEY, OLD_KEY, OLD_KEY]


async def test_the_new_one_is_taken_as_soon_as_the_old_one_is_refused(runtime: Runtime, platform: Platform) -> None:
    """The other way round: the old one was in use, and OCS ended it."""
    gate = Gate(platform, {"s3cret"}, {OLD_KEY})
    await platform.vault().store("hash-key", NEW_KEY, overlap=OVERLAP)
    taken = await sell(runtime, "T1")
    await sender.answer_bell(runtime, taken.store_id)
    gate.keys, gate.secrets = {NEW_KEY}, {"s3cret"}
    taken = await sell(runtime, "T2")
    await sender.answer_bell(runtime, taken.store_id)
    assert await states(runtime) == ["accepted"] * 2
    assert gate.shown_keys[-1] == NEW_KEY


async def test_the_current_one_is_tried_first_again_after_a_while(
    runtime: Runtime, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a new key that was good late would be used for the first time when the old one ends."""
    monkeypatch.setattr(auth, "SECOND_CHOICE_SECONDS", 0)
    gate = Gate(platform, {"s3cret"}, {OLD_KEY})
    await platform.vault().store("hash-key", NEW_KEY, overlap=OVERLAP)
    taken = await sell(runtime, "T1")
    await sender.answer_bell(runtime, taken.store_id)
    gate.keys.add(NEW_KEY)
    taken = await sell(runtime, "T2")
    await sender.answer_bell(runtime, taken.store_id)
    assert gate.shown_keys == [NEW_KEY, NEW_KEY, OLD_KEY, NEW_KEY]


async def test_where_both_are_refused_the_store_waits_and_goes_on_when_one_is_good(
    runtime: Runtime, platform: Platform
) -> None:
    gate = Gate(platform, {"s3cret"}, set())
    await platform.vault().store("hash-key", NEW_KEY, overlap=OVERLAP)
    taken = await sell(runtime, "T1")
    await sender.answer_bell(runtime, taken.store_id)
    waits = await rows(runtime, "select wait_cause from delivery_streams")
    assert [row["wait_cause"] for row in waits] == ["credentials"]
    assert gate.shown_keys == [NEW_KEY, NEW_KEY, OLD_KEY]
    gate.keys = {OLD_KEY}
    await make_due(runtime)
    await sender.answer_bell(runtime, taken.store_id)
    assert await states(runtime) == ["accepted"]


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VaultStandIn]:
    """Run one vault stand-in."""
    server = VaultStandIn(Path(tmp_path_factory.mktemp("vault")))
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def vault(stand_in: VaultStandIn, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Vault]:
    """Give the app's vault, on the real SDK, with an identity that the stand-in knows."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", stand_in.identity_endpoint)
    monkeypatch.setenv("IDENTITY_HEADER", stand_in.identity_header)
    monkeypatch.setattr(vault_of_app, "LEAST_SECONDS_BETWEEN_READS", 0)
    there = {"vault_url": stand_in.url, "vault_ca_file": stand_in.ca_file}
    settings = settings.model_copy(update=there)
    identity = Identity(settings)
    own = Vault(settings, identity)
    yield own
    await own.close()
    await identity.close()


async def test_key_vault_itself_says_which_version_is_good_beside_the_current_one(vault: Vault) -> None:
    await vault.store("turned", "old")
    await vault.store("turned", "new", overlap=OVERLAP)
    assert await vault.good_values("turned") == ("new", "old")
    assert await vault.secret("turned") == "new"


async def test_a_rotation_without_overlap_ends_the_old_one_at_once(vault: Vault) -> None:
    await vault.store("leaked", "old")
    await vault.store("leaked", "new", overlap=OVERLAP)
    await vault.store("leaked", "newer")
    assert await vault.good_values("leaked") == ("newer",)


async def test_the_old_one_ends_with_the_overlap(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it was read before, and is kept in memory."""
    await vault.store("ended", "old")
    await vault.store("ended", "new", overlap=OVERLAP)
    assert await vault.good_values("ended") == ("new", "old")
    later = utc_now() + OVERLAP
    monkeypatch.setattr(vault_of_app, "utc_now", lambda: later)
    assert await vault.good_values("ended") == ("new",)
    assert await vault.good_values("ended", fresh=True) == ("new",)


async def test_the_same_sent_again_keeps_the_one_before(vault: Vault) -> None:
    """A request that died after Key Vault took the secret is sent again."""
    await vault.store("again", "old")
    for _ in range(2):
        await vault.store("again", "new", overlap=OVERLAP)
    assert await vault.good_values("again") == ("new", "old")


async def test_a_first_secret_has_none_before_it(vault: Vault) -> None:
    await vault.store("first", "only", overlap=OVERLAP)
    assert await vault.good_values("first") == ("only",)


async def test_an_old_version_that_was_disabled_is_not_used(vault: Vault) -> None:
    """An operator ends a secret that leaked in Key Vault itself."""
    await vault.store("disabled", "old")
    old = await vault._client.get_secret("disabled")  # noqa: SLF001 - as an operator would, past the app
    await vault.store("disabled", "new", overlap=OVERLAP)
    assert old.properties.version is not None
    await vault._client.update_secret_properties("disabled", old.properties.version, enabled=False)  # noqa: SLF001 - the same
    assert await vault.good_values("disabled", fresh=True) == ("new",)


async def test_the_vault_says_whether_it_holds_a_secret(vault: Vault) -> None:
    await vault.store("held", "value")
    assert [await vault.holds(name) for name in ("held", "absent")] == [True, False]
