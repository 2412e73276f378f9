"""All that the platform knows, in one place: who may call, what was reported, what OCS publishes, what it found."""

from dataclasses import dataclass, field

from devstack.regulator.contract.access import Access
from devstack.regulator.contract.reads import Reads
from devstack.regulator.contract.reports import Reports
from devstack.regulator.ledger import Ledger
from devstack.regulator.reconciliation.run import Reconciliation
from devstack.regulator.wholesale.catalogue import Catalogue
from devstack.regulator.wholesale.shipments import Shipments


@dataclass(slots=True)
class DataPlatform:
    """The platform's state, and the calls that work on it."""

    access: Access = field(default_factory=Access)
    ledger: Ledger = field(default_factory=Ledger)
    catalogue: Catalogue = field(default_factory=Catalogue)
    shipments: Shipments = field(init=False)
    reports: Reports = field(init=False)
    reads: Reads = field(init=False)
    reconciliation: Reconciliation = field(init=False)

    def __post_init__(self) -> None:
        """Let the parts work on the same state."""
        self.shipments = Shipments(self.catalogue)
        self.reports = Reports(self.access, self.ledger)
        self.reads = Reads(self.access, self.ledger, self.catalogue, self.shipments)
        self.reconciliation = Reconciliation(self.access, self.ledger, self.catalogue)

    def forget(self, crsa: str | None) -> None:
        """Forget one store, or go back to the start."""
        for part in (self.access, self.ledger, self.catalogue, self.shipments, self.reports, self.reconciliation):
            part.forget(crsa)
