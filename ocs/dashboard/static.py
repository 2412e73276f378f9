"""The page's own files: a style, a little script, an icon, and htmx. They are the same for everybody and no secret."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter
from starlette.responses import Response

from ocs.dashboard.forms import PATH
from ocs.errors import NotFound
from ocs.web.roles import Role, open_to

router = APIRouter(prefix=PATH, include_in_schema=False)
TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
A_YEAR = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class _File:
    content: bytes
    media_type: str

    @property
    def version(self) -> str:
        """The name of this content: another content has another address, so that it may be kept for ever."""
        return hashlib.sha256(self.content).hexdigest()[:12]


FILES = {
    path.name: _File(path.read_bytes(), TYPES[path.suffix])
    for path in Path(__file__).with_name("static").iterdir()
    if path.suffix in TYPES
}


def address_of(name: str) -> str:
    """Give the address of a file's present content."""
    return f"{PATH}/static/{FILES[name].version}/{name}"


@router.get("/static/{version}/{name}")
@open_to(Role.ANYONE)
async def static_file(version: str, name: str) -> Response:
    """Give one of the page's own files."""
    found = FILES.get(name)
    if found is None:
        raise NotFound(f'no file "{name}"')
    keep = A_YEAR if version == found.version else "no-store"
    return Response(found.content, media_type=found.media_type, headers={"Cache-Control": keep})
