"""The two calls that report: inventory events and the inventory position."""

import json
from collections.abc import Callable
from datetime import UTC
from typing import Any
from uuid import uuid4

from devstack.regulator.calls import Call, RefusedError, Reply
from devstack.regulator.contract import shape
from devstack.regulator.contract.access import Access
from devstack.regulator.ledger import Ledger, Posting, posting

Commit = Callable[[], Reply]
"""What is left to do once a call is found good: record it and write the reply."""
OTHERWISE_SPELLED = 7
"""One reply in so many spells its reference id otherwise."""
_NONE: frozenset[str] = frozenset()


class Reports:
    """Takes what stores report into the ledger."""

    def __init__(self, access: Access, ledger: Ledger) -> None:
        """Start with no field beyond the documented ones, and with empty positions taken."""
        self._access = access
        self._ledger = ledger
        self._extra: dict[str | None, frozenset[str]] = {}
        self._takes_empty: dict[str | None, bool] = {}

    def allow(self, crsa: str | None, fields: frozenset[str]) -> None:
        """Tolerate these fields on event lines, of one store or of all; replaces what was said before."""
        self._extra[crsa] = fields

    def take_empty_positions(self, crsa: str | None, *, accepted: bool) -> None:
        """Take or refuse positions without lines, of one store or of all that were not named themselves."""
        self._takes_empty[crsa] = accepted

    def forget(self, crsa: str | None) -> None:
        """Forget what was said of one store, or all that was said."""
        if crsa is None:
            self._extra.clear()
            self._takes_empty.clear()
        else:
            self._extra.pop(crsa, None)
            self._takes_empty.pop(crsa, None)

    def events(self, call: Call) -> Commit:
        """Check a POST of inventory events; raises RefusedError and records nothing where anything is wrong."""
        crsa, by = self._admit(call)
        extra = self._extra.get(None, _NONE) | self._extra.get(crsa, _NONE)
        contents = shape.contents(call, shape.EVENT, extra)
        ids = [bytes.fromhex(line["posTransactionLineId"].replace("-", "")) for line in call.lines()]

        def commit() -> Reply:
            self._ledger.record_lines(crsa, ids, contents, by)
            return _accepted(call, len(ids))

        return commit

    def positions(self, call: Call) -> Commit:
        """Check a POST of an inventory position; raises RefusedError and records nothing where anything is wrong."""
        crsa, by = self._admit(call)
        instant = shape.instant(call, "positionTimeStamp").astimezone(UTC)
        takes_empty = self._takes_empty.get(crsa, self._takes_empty.get(None, True))
        contents = shape.contents(call, shape.POSITION, _NONE, may_be_empty=takes_empty)
        # The instant as it was written leads the lines, so that it can be read back.
        content = shape.BETWEEN_LINES.join([call.query["positionTimeStamp"], *contents])

        def commit() -> Reply:
            self._ledger.record_position(crsa, instant, content, by)
            return _accepted(call, len(contents))

        return commit

    def rejection(self, call: Call, line_ids: frozenset[str], ocs_skus: frozenset[str]) -> RefusedError | None:
        """Refuse a batch for the first of its lines that has one of these ids or SKUs; None where it has none."""
        for index, line in enumerate(call.lines()):
            line_id = line.get("posTransactionLineId", "")
            if line_id.lower() in line_ids:
                return _rejected(call, f"[{index}].posTransactionLineId", line_id)
            if line["ocsSku"] in ocs_skus:
                return _rejected(call, f"[{index}].ocsSku", line["ocsSku"])
        return None

    def _admit(self, call: Call) -> tuple[str, Posting]:
        self._access.check_token(call)
        by = posting(shape.required(call, "posVendor"), shape.required(call, "posVendorVersion"))
        return self._access.check_store(call, "retailerCRSA"), by


def _rejected(call: Call, place: str, found: str) -> RefusedError:
    return RefusedError(shape.bad_request(call, place, f"{found} is not accepted"))


def _accepted(call: Call, lines: int) -> Reply:
    """Write the 200: what stands beside the reference id changes, since nobody may rely on it."""
    call.reference_id = str(uuid4())
    body: dict[str, Any]
    if call.turn % OTHERWISE_SPELLED == 0:
        body = {"ReferenceId": call.reference_id, "code": 0}
    elif call.turn % 2:
        body = {"referenceId": call.reference_id, "status": "Success", "recordsReceived": lines}
    else:
        body = {"message": "Request accepted for processing", "referenceId": call.reference_id, "warnings": []}
    return Reply(200, json.dumps(body).encode())
