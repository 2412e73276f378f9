"""Runs the ten checks, retailer by retailer, on command or again and again."""

import asyncio
import logging
from collections import defaultdict
from datetime import UTC, datetime

from devstack.regulator.contract.access import Access
from devstack.regulator.ledger import Ledger
from devstack.regulator.reconciliation.docket import Docket, Noted, Outcome
from devstack.regulator.reconciliation.finding import Finding
from devstack.regulator.reconciliation.ledger_reading import movements, positions
from devstack.regulator.reconciliation.mails import Mail, mail
from devstack.regulator.reconciliation.matching import ItemMaster, unmatched
from devstack.regulator.reconciliation.stock import stock_findings
from devstack.regulator.reconciliation.transfers import Transfers
from devstack.regulator.wholesale.catalogue import Catalogue

_log = logging.getLogger(__name__)


class Reconciliation:
    """Compares what stores have reported with the catalogue, with itself and with each other."""

    def __init__(self, access: Access, ledger: Ledger, catalogue: Catalogue) -> None:
        """Start with nothing found."""
        self._access = access
        self._ledger = ledger
        self._catalogue = catalogue
        self._docket = Docket()
        self._mails: list[Mail] = []
        self._one_at_a_time = asyncio.Lock()

    async def run(self, crol: str | None, at: datetime) -> Outcome:
        """Reconcile one retailer or all, as a run of that aware instant; raises LookupError for an unknown CROL.

        The whole ledger counts, also what is later than `at`: a test may move the clock of its app.
        """
        async with self._one_at_a_time:
            retailers = self._retailers()
            if crol is not None and crol not in retailers:
                raise LookupError(f"{crol} has no store")
            outcomes = [await self._retailer(each, retailers[each], at) for each in ([crol] if crol else retailers)]
        return Outcome([n for o in outcomes for n in o.open], [n for o in outcomes for n in o.resolved])

    async def every(self, seconds: float) -> None:
        """Reconcile all retailers each so many seconds, for ever; a run that fails is logged."""
        while True:
            await asyncio.sleep(seconds)
            try:
                await self.run(None, datetime.now(UTC))
            except Exception:  # noqa: BLE001 - the next run may well succeed
                _log.exception("the reconciliation failed")

    def findings(self, crsa: str | None) -> list[Noted]:
        """Give the findings of one store or of all, the eldest first."""
        return self._docket.listing(crsa)

    def mails(self, crol: str | None) -> list[Mail]:
        """Give the mails to one retailer or to all, the eldest first."""
        return [each for each in self._mails if crol in {None, each.to}]

    def forget(self, crsa: str | None) -> None:
        """Drop one store's findings; or all findings and mails."""
        self._docket.forget(crsa)
        if crsa is None:
            self._mails.clear()

    def _retailers(self) -> dict[str, list[str]]:
        retailers: dict[str, list[str]] = defaultdict(list)
        for crsa, store in self._access.stores.items():
            retailers[store.crol].append(crsa)
        return retailers

    async def _retailer(self, crol: str, crsas: list[str], at: datetime) -> Outcome:
        findings = await self._check(crsas)
        outcome = self._docket.note(frozenset(crsas), findings, at)
        if outcome.open or outcome.resolved:
            self._mails.append(mail(crol, outcome, at))
        return outcome

    async def _check(self, crsas: list[str]) -> list[Finding]:
        master = ItemMaster(self._catalogue.items)
        transfers = Transfers(crsas)
        findings: list[Finding] = []
        for crsa in crsas:
            store = self._ledger.store(crsa)
            moved = movements(store)
            findings += unmatched(crsa, moved, master)
            findings += stock_findings(crsa, moved, positions(store))
            findings += transfers.take(crsa, moved)
            # Calls are answered between two stores: a large ledger takes seconds.
            await asyncio.sleep(0)
        return findings + transfers.imbalances()
