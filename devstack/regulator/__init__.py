"""A stand-in for the OCS Data Platform: a small real server with a control door. It is NOT the real thing.

`python -m devstack.regulator --port 0` prints one JSON line when it can answer. The six calls are then under
`url` + "/func", the token endpoint is `url` + "/oauth2/token", and what a test or a demo steers is under
`url` + "/_control" (its routes: devstack/regulator/control/__init__.py). Every reply carries the header
`X-Stand-In: not the OCS Data Platform`.

Known, from the documents [A]: the paths, the query parameters and the two headers; the fields of all six calls, all
texts when sent and numbers where they are numbers when read; the posting time with seven decimals; OAuth 2.0 client
credentials; one client per POS provider and one hash key per store; 200 with a reference id; that the same line id
replaces the line for ever and nothing is deleted.

Inferred [C], so never to be relied upon: the bodies of all errors; that a 400 records nothing of its batch; the order
of the checks (token, query, CRSA, hash key, body); that the catalogue asks for no hash key; that events and positions
are filtered by posting time, both ends included; pages of 100; that an unknown field or an empty list of events is
refused, while a position may be empty; that a position of the same instant replaces the earlier one, while every
posting of it can be read back; that a line may come without a barcode (matched later); how the ten checks read the
ledger (see devstack/regulator/reconciliation/__init__.py); what stands in a shipping notice beyond the field names.

Different on purpose, where the contract leaves room: what stands beside `referenceId` changes from call to call, and
one reply in seven spells it `ReferenceId`; the body of a 400 comes in four shapes, one of them plain text; each
refusal names one line only; 503 answers in HTML. Answers come at once, unless the pace is set; the ten checks run on
command, unless `--reconcile-every` is given; their mails are kept, never sent.
"""
