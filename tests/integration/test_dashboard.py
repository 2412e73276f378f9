"""The page: who sees what, and that nothing foreign gets in or out."""

import httpx
import pytest

from ocs.runtime import Runtime

PAGE = "/api/dashboard"
PAGES = ["", "/stores/CRSA1111111", "/lines", "/lines?store=CRSA1111111", "/letters", "/mappings", "/alerts", "/credentials", "/audit"]


@pytest.mark.parametrize("path", PAGES)
async def test_the_first_page_says_whether_all_is_well(runtime: Runtime, staff: httpx.AsyncClient, path: str) -> None:
    reply = await staff.get(PAGE + path)
    assert reply.status_code == 200, reply.text
