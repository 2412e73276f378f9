"""Settings are checked at start, each wrong one by name, and never shown with secrets."""

import pytest

from ocs import settings
from ocs.errors import ConfigurationError
from ocs.settings import Settings

NEEDED = {
    "OCS_DATABASE_URL": "postgresql://ocs:hidden-word@127.0.0.1/ocs",
    "OCS_STORAGE": "AccountKey=hidden-key",
    "OCS_VAULT_URL": "https://vault.example",
}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test the least that is needed, and no settings kept from before."""
    for name in [*NEEDED, "OCS_LEASE_SECONDS", "OCS_RETRY_SCHEDULE"]:
        monkeypatch.delenv(name, raising=False)
    for name, value in NEEDED.items():
        monkeypatch.setenv(name, value)
    settings.load.cache_clear()


def test_the_defaults_are_those_of_production() -> None:
    loaded = settings.load()
    assert list(loaded.retry_schedule) == [60, 300, 900, 3600, 21600, 86400]
    assert loaded.lease_seconds + 15 + 5 <= 60, "a dead worker's store is taken over within the minute"


def test_secrets_are_not_shown() -> None:
    assert "hidden" not in repr(settings.load()) + str(settings.load().model_dump(mode="json"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OCS_LEASE_SECONDS", "31"),
        ("OCS_RETRY_SCHEDULE", "60,-1"),
        ("OCS_RETRY_SCHEDULE", "soon"),
        ("OCS_DATABASE_URL", None),
        ("OCS_STORAGE", None),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str | None) -> None:
    if value is None:
        monkeypatch.delenv(name)
    else:
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        settings.load()
    assert name.removeprefix("OCS_").lower() in str(caught.value).lower()
    assert "hidden" not in str(caught.value)


def test_the_lease_outlives_the_longest_post() -> None:
    loaded = Settings()
    assert loaded.lease_seconds >= loaded.post_timeout_seconds + settings.SETTLE_MARGIN_SECONDS
