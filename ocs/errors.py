"""The errors that callers tell apart.

OcsError
├── ConfigurationError      a setting or a secret is missing or wrong: an operator's matter
├── SchemaBehind            the database has not been migrated to this version of the code
├── BadInput                the sender's matter: names each wrong field (bad_input.py)
├── NotSignedIn             nobody known calls: no token, or not one of ours
├── KeyRefused              a POS calls without a key that works
├── Forbidden               the caller is known and may not do this
├── NotFound                something named does not exist for this caller
├── Conflict                it cannot be done in the state that things are in
├── PreconditionFailed      it was changed since the caller looked
├── TooMany                 more requests than a caller may make in a minute
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


class NotSignedIn(OcsError):  # noqa: N818 - a state, told in the words a caller uses
    """Nobody known calls; the text says what was missing or wrong with the token, never the token."""


class KeyRefused(OcsError):  # noqa: N818 - the same
    """A POS calls without a key that works; the text never shows the key, and to a stranger not whose it is."""


class Forbidden(OcsError):  # noqa: N818 - the word of HTTP
    """The caller is known and may not do this; the text says which role it takes."""


class NotFound(OcsError):  # noqa: N818 - the word of HTTP
    """Something named does not exist, or not for this caller."""


class Conflict(OcsError):  # noqa: N818 - the same
    """It cannot be done in the state that things are in; the text says which and what would help."""


class PreconditionFailed(OcsError):  # noqa: N818 - the same
    """It was changed since the caller looked."""


class TooMany(OcsError):  # noqa: N818 - the same
    """A caller made more requests than it may; `wait` is the seconds until the next one is served."""

    def __init__(self, wait: float) -> None:
        """Keep the wait."""
        super().__init__("more requests in a minute than one caller may make")
        self.wait = wait


class QueueUnavailable(OcsError):  # noqa: N818 - the same
    """A storage queue did not take a message; whether it has it is not known."""


class VaultUnavailable(OcsError):  # noqa: N818 - the same
    """Key Vault could not be read just now; nothing is known about the secret."""
