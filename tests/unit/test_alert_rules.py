"""What a rule changes, for everything that can hold and be open: no storm, no flapping, nothing closed that holds."""

from datetime import timedelta
from uuid import UUID

from hypothesis import given, strategies as st

from ocs.alerts.causes import Scope, of_connection, of_store
from ocs.alerts.open_close import Finding
from ocs.alerts.rules import MOST_STORES, Changes, Held, OpenAlert, Rule, decide

TENANT = UUID(int=1)
FOLDING = Rule("oldest_unsent", "{n}", of_many="{stores} stores", calm=timedelta(seconds=120))
EACH = Rule("lines_refused", "{n}", calm=timedelta(seconds=120))
STORES = st.dictionaries(st.tuples(st.integers(0, 2), st.integers(0, 11)), st.booleans(), max_size=36)
"""Where it holds: (connection, store) and whether it is bad enough to open an alert."""
OPEN = st.dictionaries(st.tuples(st.integers(0, 2), st.integers(-1, 11)), st.floats(0, 600), max_size=12)
"""What is open: (connection, store, or -1 for the whole connection) and the seconds since it was last found."""


def _connection(number: int) -> Scope:
    return of_connection(TENANT, UUID(int=100 + number))


def _place(connection: int, store: int) -> Scope:
    return _connection(connection) if store < 0 else of_store(TENANT, UUID(int=1000 + 100 * connection + store))


def _held(stores: dict[tuple[int, int], bool]) -> list[Held]:
    return [
        Held(Finding(_place(connection, store), "it holds", {"n": store}), _connection(connection), opens)
        for (connection, store), opens in stores.items()
    ]


def _opened(places: dict[tuple[int, int], float]) -> list[OpenAlert]:
    return [
        OpenAlert(number, _place(connection, store), _connection(connection), seconds)
        for number, ((connection, store), seconds) in enumerate(places.items())
    ]


def _after(before: list[OpenAlert], changes: Changes) -> list[OpenAlert]:
    """Give what is open after the changes, all just seen."""
    scopes = {alert.scope for alert in before if alert.alert_id not in changes.over} | {
        finding.scope for finding in changes.found
    }
    return [OpenAlert(number, scope, None, 0.0) for number, scope in enumerate(sorted(scopes, key=str))]


@given(STORES, OPEN)
def test_what_holds_is_never_closed_and_what_is_closed_was_calm(
    stores: dict[tuple[int, int], bool], places: dict[tuple[int, int], float]
) -> None:
    for rule in (FOLDING, EACH):
        opened = _opened(places)
        over = [alert for alert in opened if alert.alert_id in decide(rule, _held(stores), opened).over]
        held = {_place(*place) for place in stores}
        assert all(alert.scope not in held for alert in over)
        assert all(alert.seconds_since_seen >= 120 for alert in over)


@given(STORES, OPEN)
def test_looking_twice_changes_nothing_the_second_time(
    stores: dict[tuple[int, int], bool], places: dict[tuple[int, int], float]
) -> None:
    for rule in (FOLDING, EACH):
        after = _after(_opened(places), decide(rule, _held(stores), _opened(places)))
        again = decide(rule, _held(stores), after)
        assert {finding.scope for finding in again.found} <= {alert.scope for alert in after}
        assert again.over == ()


@given(STORES, OPEN)
def test_no_connection_gets_a_storm_of_new_alerts(
    stores: dict[tuple[int, int], bool], places: dict[tuple[int, int], float]
) -> None:
    opened = _opened(places)
    known = {alert.scope for alert in opened}
    fresh = [one.scope for one in decide(FOLDING, _held(stores), opened).found if one.scope not in known]
    for number in range(3):
        own = {_place(number, store) for store in range(12)}
        assert len([scope for scope in fresh if scope in own]) <= MOST_STORES
        assert not (_connection(number) in fresh and own & set(fresh)), "either the connection or its stores"


@given(STORES)
def test_whatever_is_bad_enough_is_told_of(stores: dict[tuple[int, int], bool]) -> None:
    for rule in (FOLDING, EACH):
        found = {one.scope for one in decide(rule, _held(stores), []).found}
        for (connection, store), opens in stores.items():
            if opens:
                assert _place(connection, store) in found or _connection(connection) in found
