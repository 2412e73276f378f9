"""POS systems as callers: the keys of a tenant, and messages that are signed with them."""
