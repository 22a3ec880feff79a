"""From a request to its answer: the route, who asks, how it shall go, what is said."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from airelays_app.sandbox.asked import Asked
from airelays_app.sandbox.credentials import Owner
from airelays_app.sandbox.delivery import deliver_answer, settle_early
from airelays_app.sandbox.exchange import Answer, Exchange, json_answer
from airelays_app.sandbox.plan import Family, Plan
from airelays_app.sandbox.recorded import RecordedRequest
from airelays_app.sandbox.scripts import SUFFIX, Script


@dataclass(slots=True)
class Visit:
    """One request on its way: ``body`` is its JSON object ({} if it has none), the model's name
    without behaviours; ``asked`` what it asks for; ``owner`` whose credentials it carries."""

    exchange: Exchange
    plan: Plan
    body: dict[str, Any]
    asked: Asked | None = None
    owner: Owner | None = None

    @property
    def request(self) -> RecordedRequest:
        """The request as recorded."""
        return self.exchange.request


ANY_METHOD = "*"
"""In place of a method: any, and the path is a beginning."""

Place = tuple[str, str]
"""A method and a path."""

Guard = Callable[[RecordedRequest], Owner | Answer | None]
Handle = Callable[[Visit], Answer | None]
Read = Callable[[dict[str, Any]], Asked]


def open_to_all(_: RecordedRequest) -> None:
    """Let anybody in."""


@dataclass(frozen=True, slots=True)
class Route:
    """What happens at one path: ``guard`` lets in or answers, ``handle`` answers (None: it has
    sent everything itself), ``read`` marks an inference route and reads its requests."""

    family: Family
    handle: Handle
    guard: Guard = open_to_all
    read: Read | None = None


def beside(route: Route, handlers: Mapping[Place, Handle]) -> dict[Place, Route]:
    """Return routes that let in whom ``route`` lets in, none of them for inference."""
    return {place: Route(route.family, handle, route.guard) for place, handle in handlers.items()}


@dataclass(frozen=True, slots=True)
class Router:
    """Finds the route of an exchange and follows it to the end."""

    routes: dict[tuple[str, str], Route]
    script: Script

    def dispatch(self, exchange: Exchange) -> None:
        """Answer one request."""
        request = exchange.request
        route = self.routes.get((request.method, request.path)) or self._below(request.path)
        if route is None:
            exchange.answer(self._lost(request.path))
            return
        try:
            visit = self._visit(exchange, route)
        except ValueError as error:
            exchange.answer(json_answer(400, {"error": {"message": str(error), "code": "sandbox"}}))
            return
        if settle_early(exchange, visit.plan):
            return
        answer = _answered(visit, route)
        if answer:
            deliver_answer(exchange, answer, visit.plan)

    def _below(self, path: str) -> Route | None:
        """Return the route that takes any method and everything below a path."""
        return next(
            (
                route
                for (method, known), route in self.routes.items()
                if method == ANY_METHOD and path.startswith(known)
            ),
            None,
        )

    def _lost(self, path: str) -> Answer:
        if any(path == known for _, known in self.routes):
            return json_answer(405, {"detail": "Method Not Allowed"})
        return json_answer(404, {"detail": "Not Found"})

    def _visit(self, exchange: Exchange, route: Route) -> Visit:
        request = exchange.request
        body = request.json if isinstance(request.json, dict) else {}
        asked = route.read(body) if route.read else None
        plan = self.script.plan(request, route.family, asked)
        if asked and SUFFIX in asked.model:
            body = {**body, "model": asked.model.split(SUFFIX)[0]}
        return Visit(exchange, plan, body, asked)


def _answered(visit: Visit, route: Route) -> Answer | None:
    met = route.guard(visit.request)
    if isinstance(met, Answer):
        return met
    visit.owner = met
    return visit.plan.instead or route.handle(visit)
