"""The operator's commands: what they answer, in words and as JSON, what they note, and how they refuse."""

import getpass
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ocs import settings as settings_of_app
from ocs.cli import main, parser
from ocs.dead_letters.doors import receive
from ocs.delivery.sender import answer_bell
from ocs.events.ingest import TRANSACTIONS
from ocs.runtime import Runtime
from ocs.settings import Settings
from tests.integration.night import open_store
from tests.integration.operating import Operator
from tests.integration.platform import CROL, FIRST, SECOND, FakeQueues, Platform
from tests.integration.pos import message, rows, sell, transaction

ROOT = Path(__file__).parents[2]
BAD_SKU = "999999_bad___"
BAD = [{"ocs_sku": BAD_SKU, "upc": "00708762000695", "quantity": 1, "unit_cost": "1"}]


@pytest.fixture
def operator(
    settings: Settings,
    platform: Platform,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Operator:
    """Give an operator who has taken the retailer on."""
    one = Operator(settings, platform, FakeQueues(), monkeypatch, capsys)
    file = tmp_path / "retailer.json"
    file.write_text(json.dumps(platform.tenant()), encoding="utf-8")
    code, out, err = one("onboard", str(file))
    assert (code, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()] == [FIRST, SECOND, "CRSA3333333"]
    return one


def _acts(operator: Operator) -> list[dict[str, Any]]:
    return operator.arrange(
        lambda own: rows(own, "select what, subject, why, way, who_name, before, after from audit_acts order by at")
    )


async def _sell_one_good_one_bad(own: Runtime) -> None:
    taken = await sell(own, "T1")
    await answer_bell(own, taken.store_id)
    await sell(own, "T2", items=BAD)
    await answer_bell(own, taken.store_id)


def test_status_answers_in_words_and_as_json(operator: Operator) -> None:
    operator.platform.refused_skus.add(BAD_SKU)
    operator.arrange(_sell_one_good_one_bad)
    code, out, err = operator("status", CROL)
    assert (code, err) == (0, "")
    assert "Compliant now?  at risk" in out
    assert f"Events are parked and wait for a person: {FIRST}." in out
    assert "2 lines taken in, 1 accepted" in out
    assert "\x1b" not in out
    lines = [line.split() for line in out.splitlines() if line.startswith("CRSA")]
    assert [line[0] for line in lines] == [FIRST, SECOND, "CRSA3333333"]
    assert lines[0][1:3] == ["at", "risk"]
    found = operator.json("status")
    assert (found["verdict"]["answer"], found["totals"]["parked"]) == ("at risk", 1)
    assert operator("status", "--check")[0] == 1


def test_why_says_what_holds_a_line_and_what_mends_it(operator: Operator) -> None:
    operator.platform.refused_skus.add(BAD_SKU)
    operator.arrange(_sell_one_good_one_bad)
    (parked,) = operator.json("parked", CROL)
    code, out, _ = operator("why", FIRST, parked["item_id"])
    assert code == 0
    assert out.startswith("platform rejected: ")
    assert "999999_bad___ is not valid" in out
    assert "What mends it: " in out
    assert operator("why", FIRST, "00000000-0000-0000-0000-000000000000")[0] == 1


@pytest.mark.parametrize("named", [True, False])
def test_retry_sends_parked_lines_again_and_is_noted(operator: Operator, named: bool) -> None:
    operator.platform.refused_skus.add(BAD_SKU)
    operator.arrange(_sell_one_good_one_bad)
    (parked,) = operator.json("parked", CROL)
    which = parked["item_id"] if named else "--all"
    code, out, _ = operator("retry", FIRST, which, "--why", "the platform was wrong")
    assert (code, out) == (0, "1 of 1 lines are due again\n")
    assert operator.json("parked", CROL) == []
    assert len(operator.queues.messages["ocs-deliveries"]) == 1
    act = _acts(operator)[-1]
    assert (act["what"], act["why"], act["way"]) == ("lines.retried", "the platform was wrong", "python -m ocs retry")
    assert act["who_name"] == getpass.getuser()


def test_a_retry_stands_although_the_bell_cannot_be_rung(operator: Operator) -> None:
    operator.platform.refused_skus.add(BAD_SKU)
    operator.arrange(_sell_one_good_one_bad)
    operator.queues.down = True
    assert operator("redrive-lines", CROL, FIRST, "2")[0] == 0
    assert operator.json("parked", CROL) == []


def test_a_line_that_cannot_be_retried_is_said_and_the_code_is_1(operator: Operator) -> None:
    operator.arrange(_sell_one_good_one_bad)
    code, out, _ = operator("retry", FIRST, "1")
    assert code == 1
    assert "0 of 1 lines" in out
    assert "accepted it already" in out
    code, _, err = operator("retry", FIRST)
    assert (code, err) == (1, "retry: name the lines, or say --all\n")


def test_dead_letters_are_shown_and_taken_in_again(operator: Operator) -> None:
    sale = message(transaction("T1", items=[{"ocs_sku": "\x1b[31m", "upc": "00708762000695", "quantity": 0}]))
    operator.arrange(lambda own: receive(own, TRANSACTIONS, sale))
    (letter,) = operator.json("dead-letters")
    code, out, _ = operator("dead-letters")
    assert code == 0
    assert letter["letter_id"] in out
    assert "\x1b" not in out
    assert "items[0].quantity" in out
    code, _, err = operator("redrive-letter", letter["letter_id"])
    assert code == 1
    assert "it is still wrong: items[0].quantity" in err
    code, out, _ = operator("redrive", "--all")
    assert code == 1
    assert "0 of 1 letters were taken in" in out
    assert _acts(operator)[-1]["what"] == "dead_letter.redriven"


def test_a_mended_letter_is_taken_in(operator: Operator) -> None:
    sale = message(transaction("T1", store="CRSA9999999"))
    operator.arrange(lambda own: receive(own, TRANSACTIONS, sale))
    operator.arrange(
        lambda own: rows(own, "update stores set crsa = 'CRSA9999999' where crsa = 'CRSA3333333' returning 1 as done")
    )
    code, out, err = operator("redrive", "--all", "--why", "the store is here now")
    assert (code, err) == (0, "")
    assert "1 of 1 letters were taken in" in out
    assert operator.json("dead-letters") == []


def test_a_position_is_made_now(operator: Operator) -> None:
    code, _, err = operator("snapshot", FIRST)
    assert code == 1
    assert "is not known" in err
    operator.arrange(open_store)
    made = operator.json("snapshot", FIRST)
    assert (made["revision"], made["lines"]) == (1, 1)
    code, _, err = operator("snapshot", FIRST, "--date", "2999-01-01")
    assert code == 1
    assert "business_date" in err
    assert _acts(operator)[-1]["what"] == "position.submitted"


def test_grants_are_given_shown_and_taken_away(operator: Operator) -> None:
    assert operator("grant", "person-1", "manager", CROL, "--name", "Kim")[1] == f"person-1 is manager in {CROL}\n"
    _, out, _ = operator("grant", "person-1", "viewer", CROL, "--name", "Kim", "--why", "moved on")
    assert out == f"person-1 is viewer in {CROL}, was manager\n"
    assert operator("grant", "person-2", "super-admin")[0] == 0
    assert [(one["name"], one["role"]) for one in operator.json("grants", CROL)] == [("Kim", "viewer")]
    assert [one["subject"] for one in operator.json("grants")] == ["person-2"]
    assert operator("revoke", "person-1", CROL)[0] == 0
    assert operator("grants", CROL)[1] == "none\n"
    code, _, err = operator("revoke", "person-1", CROL)
    assert (code, err) == (1, f"revoke: person-1 has no role in {CROL}\n")
    noted = [(act["what"], act["before"], act["after"]) for act in _acts(operator) if act["what"].startswith("person.")]
    assert noted[1] == (
        "person.granted",
        {"role": "manager", "name": "Kim"},
        {"role": "viewer", "name": "Kim"},
    )
    assert noted[3] == ("person.revoked", {"role": "viewer", "name": "Kim"}, None)


@pytest.mark.parametrize("words", [("grant", "p", "super-admin", CROL), ("grant", "p", "viewer")])
def test_a_role_without_its_place_is_refused(operator: Operator, words: tuple[str, ...]) -> None:
    code, _, err = operator(*words)
    assert code == 1
    assert "super-admin is of all retailers" in err


def test_secrets_are_stored_and_never_said(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    stored: dict[str, str] = {}

    async def store(name: str, value: str) -> None:
        stored[name] = value

    monkeypatch.setattr(operator.platform.vault(), "store", store)
    monkeypatch.setattr(sys, "stdin", io.StringIO("hash-key=abc=def\nclient-secret=s3cret!\n"))
    code, out, err = operator("secrets")
    assert (code, err, stored) == (0, "", {"hash-key": "abc=def", "client-secret": "s3cret!"})
    assert "s3cret!" not in out + json.dumps(_acts(operator), default=str)
    monkeypatch.setattr(sys, "stdin", io.StringIO("other=1\ns3cret!\n"))
    code, out, err = operator("secrets")
    assert (code, err) == (1, "secrets: line 2 is not NAME=VALUE; nothing was stored\n")
    assert "other" not in stored


def test_reporting_is_switched_and_noted(operator: Operator) -> None:
    assert operator("reporting", CROL, FIRST, "off", "--why", "renovation")[1] == f"{FIRST}  reporting off\n"
    act = _acts(operator)[-1]
    assert (act["what"], act["after"], act["why"]) == ("store.switched", {"reporting": False}, "renovation")


def test_map_sku_says_what_it_is(operator: Operator) -> None:
    assert operator("map-sku", CROL, "OUR-77", "101955_3.5g___")[1] == "OUR-77 is 101955_3.5g___\n"
    assert _acts(operator)[-1]["what"] == "sku.mapped"


@pytest.mark.parametrize(
    "words",
    [
        ("status", "CROL9999999"),
        ("why", "CRSA9999999", "00000000-0000-0000-0000-000000000000"),
        ("retry", "CRSA9999999", "1"),
        ("snapshot", "CRSA9999999"),
        ("grants", "CROL9999999"),
        ("map-sku", "CROL9999999", "A", "B"),
        ("reporting", "CROL9999999", "CRSA9999999", "on"),
        ("redrive-letter", "00000000-0000-0000-0000-000000000000"),
        ("onboard", "there-is-no-such-file.json"),
    ],
)
def test_what_is_not_there_is_code_1_with_the_reason(operator: Operator, words: tuple[str, ...]) -> None:
    code, out, err = operator(*words)
    assert (code, out) == (1, "")
    assert err.startswith(f"{words[0]}: ")


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("bogus",),
        ("why", FIRST, "not-an-id"),
        ("snapshot", FIRST, "--date", "soon"),
        ("grant", "p", "king"),
        ("read-back", CROL, FIRST, "2026-11-20T10:00:00", "2026-11-20T11:00:00"),
    ],
)
def test_words_that_make_no_command_are_code_2(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    assert ended.value.code == 2
    assert "usage: python -m ocs" in capsys.readouterr().err


def test_a_database_that_is_away_is_code_1(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCS_DATABASE_URL", "postgresql://someone:hidden@127.0.0.1:1/none")
    settings_of_app.load.cache_clear()
    code, out, err = operator("migrate")
    assert (code, out) == (1, "")
    assert err.startswith("migrate: nothing was migrated: ")
    assert "hidden" not in err + operator("check-config")[1]


def test_a_second_migration_changes_nothing(operator: Operator) -> None:
    assert operator("migrate")[:2] == (0, "the schema is current\n")


def test_each_command_has_help_and_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    for name in _names():
        with pytest.raises(SystemExit) as ended:
            main([name, "--help"])
        assert ended.value.code == 0
        printed = capsys.readouterr().out
        assert f"python -m ocs {name}" in printed.partition("examples:")[2], name


def _names() -> list[str]:
    (commands,) = [action for action in parser()._actions if action.dest == "command"]  # noqa: SLF001 - no public way
    return list(commands.choices or ())


def test_the_module_runs_as_a_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ocs", "schema"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["title"] == "Transaction"
