"""The default mapping from POS transaction types to the Data Platform's, copied to each new connection.

Source: the plan of record (domain.md, "Meaning still open"). It sends absolute quantities; an adjustment's direction
would be lost that way, so adjustments keep the ledger's sign (docs/decisions/0003).
"""

from ocs.tenants.models import Mapping, TransactionType as T

PLAN_OF_RECORD: dict[T, Mapping] = {
    T.SALE: Mapping("PURCHASE", -1, "absolute", "", confirmed=True),
    T.PURCHASE: Mapping("RECEIVING", 1, "absolute", "", confirmed=True),
    T.ADJUSTMENT: Mapping("ADJUSTMENT", 0, "ledger", "", confirmed=False),
    T.TRANSFER: Mapping("TRANSFER_OUT", -1, "absolute", "", confirmed=True),
    T.TRANSFER_IN: Mapping("TRANSFER_IN", 1, "absolute", "", confirmed=False),
    T.RETURN: Mapping("RETURN", 1, "absolute", "", confirmed=True),
    T.DAMAGE: Mapping("DESTRUCTION", -1, "absolute", "Damaged", confirmed=True),
    T.EXPIRE: Mapping("DESTRUCTION", -1, "absolute", "Expired", confirmed=True),
    T.LOSS: Mapping("LOSS", -1, "absolute", "", confirmed=False),
    T.SUPPLIER_RETURN: Mapping("SUPPLIER_RETURN", -1, "absolute", "", confirmed=False),
}
