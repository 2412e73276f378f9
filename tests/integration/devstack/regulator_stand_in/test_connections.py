"""Cut and reset connections are real: the TCP connection ends and no reply comes."""

import socket
from urllib.parse import urlsplit

import httpx
import pytest

from tests.integration.devstack.regulator_stand_in.store import EVENTS, Store, event, position_line

RESET = (httpx.NetworkError, httpx.RemoteProtocolError)
"""What httpx makes of a reset; the latter where it came while the body was still being sent, an error that it hides."""


def _send_headers_only(store: Store) -> socket.socket:
    """Send the head of a report whose body never comes."""
    address = urlsplit(store.url)
    connection = socket.create_connection((address.hostname, address.port or 0), timeout=10)
    head = f"POST {EVENTS}?retailerCRSA={store.crsa} HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"
    connection.sendall(head.encode())
    return connection


def test_accept_then_cut_records_and_ends_the_connection_without_a_reply(store: Store) -> None:
    """The same batch again does no harm."""
    fault = store.fault("accept_then_cut", times=1)
    line = event()
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        store.report(line)
    assert store.ledger_ids() == [line["posTransactionLineId"]]
    assert store.calls()[-1]["status"] == "cut"
    assert store.applied(fault) == 1
    assert store.report(line).status_code == 200
    assert [kept["times_received"] for kept in store.ledger()] == [2]


def test_positions_can_be_cut_too(store: Store) -> None:
    store.fault("accept_then_cut", path="positions")
    with pytest.raises(httpx.RemoteProtocolError):
        store.report_position(position_line())
    assert len(store.control("GET", f"positions/{store.crsa}")) == 1


def test_reset_records_nothing(store: Store) -> None:
    store.fault("reset", times=1)
    with pytest.raises(RESET):
        store.report(event())
    assert store.ledger() == []
    assert store.calls()[-1]["status"] == "reset"
    assert store.report(event()).status_code == 200


def test_reset_comes_before_anything_of_the_body_is_read(store: Store) -> None:
    """A caller that has sent nothing but the head is already reset, by RST."""
    store.fault("reset")
    with _send_headers_only(store) as connection, pytest.raises(ConnectionResetError):
        connection.recv(1)


def test_an_outage_can_reset_connections(store: Store) -> None:
    fault = store.fault("outage", how="reset")
    for _ in range(2):
        with pytest.raises(RESET):
            store.report(event())
    store.control("DELETE", f"faults/{fault}")
    assert store.report(event()).status_code == 200
    assert len(store.ledger()) == 1


def test_a_sign_in_can_be_cut_and_reset(store: Store) -> None:
    store.fault("reset", client_id=store.client_id, path="token", times=1)
    with pytest.raises(httpx.NetworkError):
        store.sign_in()
    store.fault("accept_then_cut", client_id=store.client_id, path="token", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        store.sign_in()
    assert store.sign_in().status_code == 200


def test_a_caller_that_leaves_before_its_body_is_whole_reports_nothing(store: Store) -> None:
    with _send_headers_only(store) as connection:
        connection.sendall(b'{"inventoryEventList": [')
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1024):
            pass
    assert store.ledger() == []
