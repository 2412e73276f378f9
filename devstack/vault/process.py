"""The vault stand-in as a child process of the stack."""

import secrets
from pathlib import Path

from devstack.processes import Child, clean_environment, free_port, stand_in_command

READY_SECONDS = 30


class Vault:
    """One vault stand-in with its managed identity endpoint; ports, header and CA stay the same over a restart."""

    def __init__(self, folder: Path, *, keep: bool = False) -> None:
        """Describe the process; nothing runs before `launch`. `keep` stores the secrets in `<folder>/vault.json`."""
        self._state = folder / "vault.json"
        ports = ["--port", str(free_port()), "--identity-port", str(free_port())]
        state = ["--state", str(self._state)] if keep else []
        self._child = Child(
            "vault",
            folder,
            stand_in_command("vault", *ports, "--folder", str(folder / "vault"), *state),
            environment=clean_environment() | {"IDENTITY_HEADER": secrets.token_hex(32)},
        )

    @property
    def url(self) -> str:
        """The vault's https address, on localhost."""
        return str(self._child.ready["url"])

    @property
    def ca_file(self) -> Path:
        """The certificate authority to trust, PEM."""
        return Path(self._child.ready["ca_file"])

    @property
    def identity_endpoint(self) -> str:
        """What `IDENTITY_ENDPOINT` is to be."""
        return str(self._child.ready["identity_endpoint"])

    @property
    def identity_header(self) -> str:
        """What `IDENTITY_HEADER` is to be."""
        return str(self._child.ready["identity_header"])

    @property
    def control(self) -> str:
        """The address of the control door, over plain http."""
        return str(self._child.ready["control"])

    @property
    def pid(self) -> int:
        """The process id; raises ChildError when it was never launched."""
        return self._child.pid

    def launch(self) -> None:
        """Start the process and return at once."""
        self._child.launch()

    def wait_ready(self) -> None:
        """Wait until it can answer; raises ChildError."""
        self._child.wait_ready(READY_SECONDS)

    def start(self) -> None:
        """Launch and wait until it can answer; raises ChildError."""
        self.launch()
        self.wait_ready()

    def stop(self) -> int | None:
        """Stop it and give its exit code; secrets that are not kept are gone."""
        return self._child.stop()

    def restart(self, *, kill: bool = False) -> None:
        """Stop (or kill) and start again at the same addresses, accepting the same tokens."""
        self._child.restart(kill=kill, seconds=READY_SECONDS)

    def discard(self) -> None:
        """Remove the kept secrets; the process must not run."""
        self._state.unlink(missing_ok=True)
