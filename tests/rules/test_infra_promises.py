"""What the Bicep files promise: settings and queues of the code, no secrets, least privilege, nothing unencrypted."""

import json
import re
from collections.abc import Iterable
from typing import Any

import pytest

from ocs.alerts.causes import CAUSES
from ocs.delivery.sender import DOORBELLS
from ocs.settings import Settings
from ocs.status import metrics
from tests.rules.bicep import Declaration, Expression, documents, parameter_files, resources, text_of
from tests.rules.test_functions import FUNCTIONS
from tests.rules.tree import ROOT

FILES = documents()
ALL_TEXT = "\n".join(file.path.read_text(encoding="utf-8") for file in FILES.values())
NEVER_IN_AZURE = {"OCS_STORAGE", "OCS_VAULT_CA_FILE", "OCS_CLOCK_SHIFT_SECONDS"}
"""The connection string with its key, and what moves or weakens things on the local stack."""
OF_THE_HOST = {
    "OCS_STORAGE__credential", "OCS_STORAGE__clientId",
    "AzureWebJobsStorage__accountName", "AzureWebJobsStorage__credential", "AzureWebJobsStorage__clientId",
    "APPLICATIONINSIGHTS_CONNECTION_STRING", "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID",
}  # fmt: skip
"""Read by the Functions host, its telemetry and App Service Authentication, not by the app."""
CHOSEN = {
    "OCS_DATABASE_URL", "OCS_DATABASE_AUTH", "OCS_VAULT_URL", "OCS_STORAGE__queueServiceUri", "AZURE_CLIENT_ID",
    "OCS_SIGN_IN_ISSUER", "OCS_SIGN_IN_AUDIENCE", "OCS_PAGE_URL",
    "OCS_SMTP_HOST", "OCS_SMTP_FROM", "OCS_SMTP_USER", "OCS_SMTP_PASSWORD_NAME",
}  # fmt: skip
"""Different in each environment; all others have the code's defaults."""
METRICS = {one.name for one in vars(metrics).values() if isinstance(one, metrics.Metric)}
SETTINGS: dict[str, Any] = FILES["functions.bicep"].of("var")["settings"].value
FIELDS = {str(field.validation_alias or f"OCS_{name.upper()}"): field for name, field in Settings.model_fields.items()}
SECRET = re.compile(r"password|secret|token|key", re.IGNORECASE)


def _made(kind: str) -> list[Declaration]:
    return [one for one in resources() if one.type == kind]


def _properties(kind: str) -> list[dict[str, Any]]:
    found = [one.value["properties"] for one in _made(kind)]
    assert found, kind
    return found


def _as_setting(default: object) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple):
        return ",".join(f"{one:g}" for one in default)
    return f"{default:g}" if isinstance(default, int | float) else str(default)


def test_the_apps_settings_are_the_codes() -> None:
    assert set(SETTINGS) - OF_THE_HOST == set(FIELDS) - NEVER_IN_AZURE
    defaults = {name: _as_setting(field.default) for name, field in FIELDS.items() if name in set(SETTINGS) - CHOSEN}
    assert {name: SETTINGS[name] for name in defaults} == defaults


def test_what_weakens_the_app_is_never_set() -> None:
    assert [name for name in NEVER_IN_AZURE - {"OCS_STORAGE"} if name in ALL_TEXT] == []
    assert SETTINGS["OCS_DATABASE_AUTH"] == "entra"
    assert "sslmode=verify-full" in SETTINGS["OCS_DATABASE_URL"]


def test_the_queues_are_the_listeners() -> None:
    bindings = [json.loads(one.get_function_json())["bindings"][0] for one in FUNCTIONS]
    listened = {binding["queueName"] for binding in bindings if binding["type"] == "queueTrigger"}
    assert set(FILES["storage.bicep"].of("var")["queueNames"].value) == listened


def test_the_always_ready_instance_is_the_doorbells() -> None:
    config = _properties("Microsoft.Web/sites")[0]["functionAppConfig"]
    answering = {
        one.get_function_name()
        for one in FUNCTIONS
        if json.loads(one.get_function_json())["bindings"][0].get("queueName") == DOORBELLS
    }
    ready = config["scaleAndConcurrency"]["alwaysReady"]
    assert [(one["name"], one["instanceCount"]) for one in ready] == [(f"function:{name}", 1) for name in answering]
    assert config["runtime"] == {"name": "python", "version": "3.11"}


def test_no_secret_is_written_anywhere() -> None:
    """No keys are asked for, no parameter is a secret with a default, and what would be a secret is marked as one."""
    assert re.findall(r"\blist(?:Keys|AccountSas|ServiceSas|Credentials|Secrets)?\w*\(", ALL_TEXT) == []
    assert re.findall(r"AccountKey=|SharedAccessKey|DefaultEndpointsProtocol", ALL_TEXT) == []
    for file in FILES.values():
        for name, param in file.of("param").items():
            secure = "@secure()" in _decorators(param)
            assert not SECRET.search(name) or secure, f"{file.path.name}: {name}"
            assert not secure or param.value is None, f"{file.path.name}: {name}"
    for file in parameter_files().values():
        text = file.path.read_text(encoding="utf-8")
        assert re.findall(r"(?i)(?:password|secret|token)\w* ?[:=] ?'(?!smtp-password')[^']+'", text) == []


def test_identities_sign_in_everywhere_and_keys_nowhere() -> None:
    for storage in _properties("Microsoft.Storage/storageAccounts"):
        assert (storage["allowSharedKeyAccess"], storage["allowBlobPublicAccess"]) == (False, False)
    auth = _properties("Microsoft.DBforPostgreSQL/flexibleServers")[0]["authConfig"]
    assert (auth["activeDirectoryAuth"], auth["passwordAuth"]) == ("Enabled", "Disabled")
    assert _properties("Microsoft.Insights/components")[0]["DisableLocalAuth"] is True
    assert _properties("Microsoft.OperationalInsights/workspaces")[0]["features"] == {"disableLocalAuth": True}
    app = _made("Microsoft.Web/sites")[0].value
    assert app["identity"]["type"] == "UserAssigned"
    storage = app["properties"]["functionAppConfig"]["deployment"]["storage"]
    assert storage["authentication"]["type"] == "UserAssignedIdentity"
    assert {
        name for name in SETTINGS if name.startswith(("AzureWebJobsStorage", "OCS_STORAGE")) and "__" not in name
    } == set()
    basic = _properties("Microsoft.Web/sites/basicPublishingCredentialsPolicies")
    assert basic == [{"allow": False}, {"allow": False}]


def test_nothing_travels_unencrypted() -> None:
    for storage in _properties("Microsoft.Storage/storageAccounts"):
        assert (storage["minimumTlsVersion"], storage["supportsHttpsTrafficOnly"]) == ("TLS1_2", True)
    app = _properties("Microsoft.Web/sites")[0]
    assert app["httpsOnly"] is True
    assert (app["siteConfig"]["minTlsVersion"], app["siteConfig"]["scmMinTlsVersion"]) == ("1.2", "1.2")
    assert FILES["postgres.bicep"].of("var")["secured"].value == [
        {"name": "require_secure_transport", "value": "ON"},
        {"name": "ssl_min_protocol_version", "value": "TLSv1.2"},
    ]
    assert "http://" not in ALL_TEXT


def test_the_vault_forgets_nothing_early_and_asks_for_roles() -> None:
    vault = _properties("Microsoft.KeyVault/vaults")[0]
    assert (vault["enableRbacAuthorization"], vault["enablePurgeProtection"]) == (True, True)
    assert vault["softDeleteRetentionInDays"] == 90
    assert "accessPolicies" not in vault


def test_production_fails_over_and_can_be_restored() -> None:
    sizes = {name: file.of("var")["database"].value for name, file in parameter_files().items()}
    prod = sizes["prod.bicepparam"]
    assert (prod["highAvailability"], prod["geoBackup"], prod["backupDays"]) == ("ZoneRedundant", True, 35)
    assert {size["tier"] for name, size in sizes.items() if name != "dev.bicepparam"} == {"GeneralPurpose"}
    pooling = {one["name"]: one["value"] for one in FILES["postgres.bicep"].of("var")["pooling"].value}
    assert (pooling["pgbouncer.enabled"], pooling["pgbouncer.pool_mode"]) == ("true", "transaction")


def test_one_switch_closes_every_public_door() -> None:
    """With the private network, what the app calls has a private endpoint and no public address."""
    doors = {"vault.bicep": "vault", "storage.bicep": "host", "postgres.bicep": "server"}
    for name, symbol in doors.items():
        said = FILES[name].of("resource")[symbol].text
        assert "publicNetworkAccess: privateNetwork ? 'Disabled' : 'Enabled'" in said, name
    queue = FILES["storage.bicep"].of("resource")["queue"].text
    assert "publicNetworkAccess: privateNetwork ? 'Disabled' : 'Enabled'" in queue
    endpoints = FILES["network.bicep"].of("var")["endpoints"].value
    assert {one["group"] for one in endpoints} == {"vault", "blob", "queue", "postgresqlServer"}
    assert "if (privateNetwork)" in FILES["main.bicep"].of("module")["network"].text
    assert parameter_files()["prod.bicepparam"].of("var")["privateNetwork"].value is True


def test_everybody_is_let_through_and_the_page_gets_its_token() -> None:
    """The app checks tokens and keys itself; App Service Authentication only keeps the browsers' sessions."""
    signing = FILES["functions.bicep"].of("resource")["signIn"].value["properties"]
    assert signing["globalValidation"] == {
        "requireAuthentication": False,
        "unauthenticatedClientAction": "AllowAnonymous",
    }
    assert signing["login"]["tokenStore"] == {"enabled": True}
    registration = signing["identityProviders"]["azureActiveDirectory"]["registration"]
    assert registration["clientSecretSettingName"] in SETTINGS


def test_roles_are_assigned_from_the_one_table_with_reasons() -> None:
    """No role is assigned elsewhere, each has an id, a reason and a user, and none can change access or resources."""
    access = FILES["access.bicep"]
    table = access.of("var")["table"].value
    assignments = [one for one in resources() if one.type == "Microsoft.Authorization/roleAssignments"]
    assert {one.name for one in assignments} <= {one.name for one in access.of("resource").values()}
    for row in table:
        assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", row["role"])
        assert len(row["reason"]) > 20
        assert f"one.scope == '{row['scope']}'" in access.path.read_text(encoding="utf-8")
        assert row["title"] not in ("Owner", "Contributor", "User Access Administrator", "Key Vault Administrator")
    assert len({(row["role"], row["scope"], row["principal"]) for row in table}) == len(table)
    written = re.findall(r"'[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'", ALL_TEXT)
    assert len(written) == len(table)
    used = {str(one.value["properties"]["roleDefinitionId"]) for one in assignments}
    assert {re.sub(r".*, (\w+)\.role\)", r"\1", one) for one in used} == {"one", "ofPos"}


def test_everything_that_tells_something_tells_the_workspace() -> None:
    told = {one.value["scope"]: one for one in _made("Microsoft.Insights/diagnosticSettings")}
    assert set(told) == {"workspace", "host::blobs", "queue::service", "vault", "server", "app"}
    assert all("workspaceId" in one.value["properties"] for one in told.values())
    assert {"categoryGroup": "audit", "enabled": True} in told["vault"].value["properties"]["logs"]


def test_there_is_an_alert_for_each_cause_of_the_product() -> None:
    rows = FILES["alerts.bicep"].of("var")["causes"].value
    assert {row["cause"]: (row["severity"], row["title"]) for row in rows} == {
        name: (cause.severity, cause.title) for name, cause in CAUSES.items()
    }
    assert "alert opened" in (ROOT / "ocs" / "alerts" / "open_close.py").read_text(encoding="utf-8")


def test_the_platform_is_watched_too() -> None:
    watched = {row["metric"] for row in FILES["alerts.bicep"].of("var")["ofMetrics"].value}
    assert watched == {
        "is_db_alive",
        "storage_percent",
        "cpu_percent",
        "active_connections",
        "Availability",
        "Transactions",
    }
    logs = {row["key"]: row for row in FILES["alerts.bicep"].of("var")["ofLogs"].value}
    assert set(logs) == {"heartbeat-missing", "poison-queue", "functions-failing", "log-cap-near"}
    assert (logs["heartbeat-missing"]["operator"], logs["heartbeat-missing"]["window"]) == ("LessThan", "PT10M")
    test = _properties("Microsoft.Insights/webtests")[0]
    assert test["Request"]["RequestUrl"] == Expression("readyUrl")
    assert "/api/health/ready" in FILES["main.bicep"].of("module")["alerts"].value["params"]["readyUrl"]


def test_every_alert_wakes_somebody() -> None:
    for kind in ("Microsoft.Insights/scheduledQueryRules", "Microsoft.Insights/metricAlerts"):
        for alert in _made(kind):
            assert "people.id" in alert.text, alert.name
            assert alert.value["properties"]["enabled"] is True


def test_the_workbook_shows_what_is_measured() -> None:
    book = json.loads((ROOT / "infra" / "bicep" / "workbook.json").read_text(encoding="utf-8"))
    headings = [one["content"]["json"] for one in book["items"] if one["type"] == 1]
    for part in ("Submission metrics", "Store coverage", "Event queue", "API health"):
        assert any(part in heading for heading in headings), part
    queries = "\n".join(one["content"]["query"] for one in book["items"] if one["type"] == 3)
    assert set(re.findall(r"'(ocs\.\w+)'", queries)) == METRICS
    assert set(re.findall(r'"(ocs\.\w+)"', FILES["alerts.bicep"].path.read_text(encoding="utf-8"))) <= METRICS


def _decorators(param: Declaration) -> str:
    before = param.node.prev_named_sibling
    return text_of(before) if before is not None and before.type == "decorators" else ""


@pytest.mark.parametrize("name", ["preprovision", "postprovision", "postdeploy"])
def test_azds_hooks_are_there(name: str) -> None:
    text = (ROOT / "azure.yaml").read_text(encoding="utf-8")
    found = re.search(rf"^  {name}:\n(?:    .*\n)*?    run: (\S+)$", text, re.MULTILINE)
    assert found is not None
    hook = ROOT / found[1]
    assert hook.stat().st_mode & 0o100
    assert _settings_that_nobody_gives(hook.read_text(encoding="utf-8")) == set()


def _settings_that_nobody_gives(script: str) -> set[str]:
    """Give what a hook asks for (without a default) that is no output of main."""
    given: Iterable[str] = FILES["main.bicep"].of("output")
    return set(re.findall(r'"\$(OCS_\w+)', script)) - set(given)
