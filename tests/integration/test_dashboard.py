"""The page: who sees what, and that nothing foreign gets in or out."""

import httpx

from ocs.runtime import Runtime

PAGE = "/api/dashboard"


async def test_the_first_page_says_whether_all_is_well(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    reply = await staff.get(PAGE)
    assert reply.status_code == 200
    print(reply.text)
    assert "CRSA1111111" in reply.text
