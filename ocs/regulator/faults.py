"""What the Data Platform can do instead of accepting. Callers read the class, never the text.

RegulatorFault
├── Rejected              the content is refused (400, 413, 422): a matter of the lines, split and park
├── SlowDown              too many calls (429, 503 with Retry-After): nobody's fault, wait as told
├── CredentialsRefused    token, client secret or hash key refused (401, 403): read anew, then a person's matter
├── Upstream              5xx, 404, a reply that makes no sense, no reply: may or may not have been accepted
│   └── SignInDown        the token endpoint failed: nothing was sent
└── NotSent               our own side failed before a byte was sent (the vault, the settings): nothing happened there
"""

from dataclasses import dataclass
from typing import Literal

from ocs.errors import OcsError

Outcome = Literal["accepted", "rejected", "slow_down", "credentials", "upstream", "ours"]
"""The word for an attempt's end, as it is kept in `delivery_attempts`."""


@dataclass(frozen=True)
class Accepted:
    """The platform's 200: the shape was valid, no more (reconciliation comes later, by mail)."""

    reference_id: str
    http_status: int
    reply: str
    outcome: Outcome = "accepted"


class RegulatorFault(OcsError):  # noqa: N818 - the field's word
    """A call that was not accepted; `message` is for people, `reply` the whole body."""

    outcome: Outcome = "upstream"
    about_batch = True
    """False where the sign-in failed: no batch is to blame."""

    def __init__(self, message: str, *, http_status: int | None = None, reply: str = "") -> None:
        """Keep the platform's own words: the shape of its error bodies is not public."""
        super().__init__(message)
        self.message = message
        self.http_status = http_status
        self.reply = reply


class Rejected(RegulatorFault):
    """The content was refused; the same content will be refused again."""

    outcome: Outcome = "rejected"


class SlowDown(RegulatorFault):
    """Too many calls; `retry_after` is in seconds."""

    outcome: Outcome = "slow_down"

    def __init__(self, message: str, retry_after: float, *, http_status: int, reply: str = "") -> None:
        """Keep the wait beside the words."""
        super().__init__(message, http_status=http_status, reply=reply)
        self.retry_after = retry_after


class CredentialsRefused(RegulatorFault):
    """The token, the client secret or the hash key was refused, also when read anew.

    `whole_connection` is true when the token endpoint refused: then every store of the connection is concerned.
    """

    outcome: Outcome = "credentials"

    def __init__(
        self, message: str, *, http_status: int | None = None, reply: str = "", whole_connection: bool = False
    ) -> None:
        """Keep whom it concerns."""
        super().__init__(message, http_status=http_status, reply=reply)
        self.whole_connection = whole_connection


class Upstream(RegulatorFault):
    """The platform failed or was not reached. The lines may have been accepted: only a repeat of the same is safe."""


class SignInDown(Upstream):
    """The token endpoint failed or was not reached: nothing was sent, and no batch is to blame."""

    about_batch = False


class NotSent(RegulatorFault):
    """We could not even ask: the vault did not answer, or signing in took too long. Nothing left this app."""

    outcome: Outcome = "ours"
