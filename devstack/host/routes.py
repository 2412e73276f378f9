"""Which function answers a path and method.

Differs on purpose: here a literal segment wins over a parameter and a parameter over a catch-all. Azure's host tries
the routes in the alphabetical order of the functions' names (Azure/azure-functions-host, issues 3153 and 9876), so an
app where that gives another answer is warned about at start. As there, a path that is known with another method is a
404, never a 405 (issue 10098), and literals match in either case.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from devstack.host.load import CannotStart, Function, HttpTrigger

LITERAL, PARAMETER, OPTIONAL, REST = range(4)
"""Kinds of a route's segments, the ones that win first."""
SHAPE = re.compile(r"\{(?P<star>\*{0,2})(?P<name>\w+)(?P<optional>\??)\}")


@dataclass(frozen=True, order=True)
class Segment:
    """One part of a route between slashes; `text` is a literal's in small letters, or a parameter's name."""

    kind: int
    text: str


@dataclass(frozen=True)
class Route:
    """A function's route with the host's prefix."""

    function: Function
    trigger: HttpTrigger
    segments: tuple[Segment, ...]

    def match(self, path: Sequence[str]) -> dict[str, str] | None:
        """Give the parameters' values when the path's segments fit, else None."""
        values: dict[str, str] = {}
        for index, segment in enumerate(self.segments):
            if segment.kind == REST:
                return values | {segment.text: "/".join(path[index:])}
            if index >= len(path):
                if segment.kind != OPTIONAL:
                    return None
            elif segment.kind != LITERAL:
                values[segment.text] = path[index]
            elif segment.text != path[index].lower():
                return None
        return values if len(path) <= len(self.segments) else None

    def serves(self, method: str) -> bool:
        """Whether the function takes this method."""
        return not self.trigger.methods or method in self.trigger.methods

    @property
    def template(self) -> str:
        """The route as it is written, with the prefix."""
        forms = {LITERAL: "{}", PARAMETER: "{{{}}}", OPTIONAL: "{{{}?}}", REST: "{{*{}}}"}
        return "/" + "/".join(forms[segment.kind].format(segment.text) for segment in self.segments)


class Routes:
    """All HTTP functions of an app, the most literal route first."""

    def __init__(self, functions: Iterable[Function], prefix: str) -> None:
        """Read the routes; raises CannotStart for one that cannot be read."""
        routes = [
            Route(one, one.trigger, _segments(f"{prefix}/{one.trigger.route}", one.name))
            for one in functions
            if isinstance(one.trigger, HttpTrigger)
        ]
        self.all = sorted(routes, key=lambda route: [(segment.kind, segment.text) for segment in route.segments])

    def find(self, method: str, path: str) -> tuple[Route, Mapping[str, str]] | None:
        """Give the route that answers, with its parameters' values, or None."""
        segments = [segment for segment in path.split("/") if segment]
        for route in self.all:
            if route.serves(method) and (values := route.match(segments)) is not None:
                return route, values
        return None

    def warnings(self) -> list[str]:
        """Say which routes would be answered by another function in Azure, where names decide."""
        return [
            f"in Azure {theirs.function.name} ({theirs.template}) answers {ours.template} instead of "
            f"{ours.function.name}: its name comes first in the alphabet"
            for index, ours in enumerate(self.all)
            for theirs in self.all[index + 1 :]
            if theirs.function.name.lower() < ours.function.name.lower()
            and _share_a_method(ours, theirs)
            and theirs.match([segment.text for segment in ours.segments]) is not None
        ]


def _share_a_method(one: Route, other: Route) -> bool:
    methods, others = one.trigger.methods, other.trigger.methods
    return not methods or not others or bool(methods & others)


def _segments(route: str, function: str) -> tuple[Segment, ...]:
    return tuple(_segment(part, function) for part in route.split("/") if part)


def _segment(part: str, function: str) -> Segment:
    if "{" not in part and "}" not in part:
        return Segment(LITERAL, part.lower())
    shape = SHAPE.fullmatch(part)
    if shape is None:
        raise CannotStart(f"function {function}: route segment {part!r} is not among what this stand-in can match")
    kind = REST if shape["star"] else OPTIONAL if shape["optional"] else PARAMETER
    return Segment(kind, shape["name"])
