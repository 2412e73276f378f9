"""The ten checks that the platform makes at night, and the mails that it would send; this stand-in's own reading.

Known [A]: that there are such checks, mailed to the retailer; that the same line id corrects a line; that stores
transfer within one CROL only. From a POS vendor's help page [B]: the messages of the first five checks.

Inferred [C], so never to be relied upon:
- Signs. PURCHASE (a sale) takes out, RECEIVING brings in, RETURN in, TRANSFER_OUT out, TRANSFER_IN in, DESTRUCTION
  out, LOSS out, SUPPLIER_RETURN out, whatever the sign on the wire; an ADJUSTMENT counts as signed. All in eaches.
- Time. A line counts at its posTransactionTimeStamp; but at noon of the date that an undocumented field of it holds
  (the process on date), in the offset of its timestamp. Dates are those of the offsets that were sent.
- Items. A line's SKU and barcode are looked up in the catalogue as it stands at the run; an empty barcode is unknown.
  Barcodes are compared padded to 14, that of a case as that of its each. A pair that does not belong together, like a
  pair of which neither is known, is SKU_UPC_UNMATCHED. Lines that match nothing take part in all other checks.
- Stock. A store's first position is its anchor: what happened up to its instant no longer counts. Of a SKU's position
  mismatches the first is found, and the later ones once it is corrected. An item that a position leaves out counts as
  zero. Negative is the running sum of a SKU over all its barcodes; lines of one instant count together.
- Transfers. Balanced is what was sent and received of a SKU in one direction over all time; the imbalance starts on
  the day since when the two have differed without pause, and is found at both stores. A transfer that names no
  counterparty names one outside of the CROL. The stores of a CROL are those that the control door told.
- A finding is the same one from run to run while its code, store, SKU, barcode and counterparty are. One that a run
  no longer has is resolved. There is a mail to a retailer when a run leaves open or resolves anything; the real ones
  go out once a week.
"""
