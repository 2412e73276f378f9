"""Whatever an act says, it reads back from Postgres as it was hashed."""

import asyncio
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st

from ocs.audit.acts import Act
from ocs.runtime import Runtime
from tests.integration.auditing import ALICE, check

Words = st.text(max_size=20)
Json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | Words
    | st.floats()
    | st.decimals(allow_nan=False)
    | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(Words, inner, max_size=4),
    max_leaves=12,
)
Facts = st.none() | st.dictionaries(Words, Json, max_size=4)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=Facts, after=Facts, subject=Words, why=Words)
def test_every_act_is_whole_when_it_is_read_back(
    runtime_of_thread: tuple[Runtime, asyncio.AbstractEventLoop],
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    subject: str,
    why: str,
) -> None:
    runtime, loop = runtime_of_thread

    async def note_and_check() -> None:
        async with runtime.pool.transaction() as connection:
            act = Act(ALICE, "PUT /a/route", why)
            await act.note(connection, "store.changed", tenant_id=None, subject=subject, before=before, after=after)
        whole = await check(runtime, "acts")
        assert whole.first_broken is None
        assert whole.rows == whole.end > 0

    loop.run_until_complete(note_and_check())
