"""The errors that callers tell apart.

OcsError
├── ConfigurationError      a setting or a secret is missing or wrong: an operator's matter
├── SchemaBehind            the database has not been migrated to this version of the code
├── BadInput                the sender's matter: names each wrong field (bad_input.py)
├── NotFound                something named does not exist for this caller
├── Conflict                it cannot be done in the state that things are in
├── QueueUnavailable        the storage queue did not take a message: our matter
├── VaultUnavailable        Key Vault did not answer: our matter, tried again by itself
└── RegulatorFault          what the Data Platform did instead of accepting (regulator/faults.py)
"""


class OcsError(Exception):
    """Anything that this software raises on purpose."""


class ConfigurationError(OcsError):
    """A setting or a secret is missing or wrong; the text names it and never shows a secret."""


class SchemaBehind(OcsError):  # noqa: N818 - a state, told in the words an operator uses
    """The database's schema is not the one this code was written for; run the migrations."""


class NotFound(OcsError):  # noqa: N818 - the word of HTTP
    """Something named does not exist, or not for this caller."""


class Conflict(OcsError):  # noqa: N818 - the same
    """It cannot be done in the state that things are in; the text says which and what would help."""


class QueueUnavailable(OcsError):  # noqa: N818 - the same
    """A storage queue did not take a message; whether it has it is not known."""


class VaultUnavailable(OcsError):  # noqa: N818 - the same
    """Key Vault could not be read just now; nothing is known about the secret."""
