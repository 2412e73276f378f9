"""The control door: who there is, what OCS publishes, what goes wrong, and what the platform has seen. All in JSON.

Not part of the Data Platform. A wrong order is answered with 400 and `{"error": …}`. All routes are under `/_control`;
`?` marks what may be left out; instants are ISO 8601 with an offset.

Who there is
    PUT clients/{client_id}      {"client_secret", "expires_in"?: seconds}
    PUT stores/{crsa}            {"crol", "hash_key", "client_id"}
    POST tokens/revoke           {"client_id"?}

What OCS publishes and ships
    GET catalogue                all items at once: {"itemList"}
    PUT catalogue                {"itemList"}: these items and no others from now on
    PUT catalogue/generated      {"items": 450, "seed"?: 1}: so many, the sample first, then made-up ones
    PUT shipments/{crsa}         {"retailerASNList"}: these notices and no others
    POST orders/{crsa}           {"orderedAt"?, "lines": [{"SKU", "cases", "eachesPerCase", "unitPrice"?}]}: ships it;
                                 answers the shipment, which GET ASN gives for windows that hold `orderedAt` (or now)

How the platform behaves
    PUT extra-fields             {"fields", "crsa"?}: undocumented fields that event lines may carry
    PUT empty-positions          {"accepted", "crsa"?}: take (as at the start) or refuse positions without lines
    GET, PUT pace                {"factor": 0.01}: good answers take the observed times so many times; 0: at once
    POST, GET, DELETE faults     see devstack/regulator/faults.py; DELETE faults/{fault_id} for one

What the platform has seen
    GET calls                    ?after=number&crsa=: the history
    GET in-flight                the calls that are being delayed or held
    GET ledger                   counts by store; GET ledger/{crsa}: its lines
    GET positions/{crsa}         its positions as they stand

What the platform finds
    POST reconcile               {"crol"?, "at"?}: the ten checks, of one retailer or of all; `at` (or now) only dates
                                 the run. Answers {"at", "open", "resolved"}, the latter being those of this run
    GET findings                 ?crsa=: open and resolved, with `first_seen` and `resolved_at`
    GET mails                    ?crol=: the mails that the runs caused, the eldest first

    POST reset                   {"crsa"?}: forget one store (its retailer's mails stay), or go back to the start
"""
