"""What the stand-ins' batches have in common: requests answered one by one, told of when asked."""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from airelays_app.sandbox import wire_json
from airelays_app.sandbox.exchange import Answer, Exchange, json_answer
from airelays_app.sandbox.recorded import RecordedRequest
from airelays_app.sandbox.routing import Route, Visit
from airelays_app.sandbox.scripts import Script

FATES = frozenset({"failed", "expired", "holed", "keyless"})

State = Literal["running", "completed", "failed", "expired", "cancelled"]


@dataclass(slots=True)
class SandboxBatch:
    """One batch; ``results`` are the answers by the client's ids, in the order of the requests.

    ``looks`` are left until it ends. A ``fate`` is how it ends other than well: ``failed`` as a
    whole, ``expired`` when half is done, ``holed``, with one result lost, one of a stranger and
    one broken, ``keyless``, with results that nobody can tell apart. ``details`` is what a vendor's
    objects show beside that.
    """

    results: Sequence[tuple[str, Answer]]
    looks: int
    fate: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    created_at: int = field(default_factory=lambda: int(time.time()))
    is_cancelled: bool = False

    @property
    def state(self) -> State:
        """How far it is."""
        if self.fate == "failed":
            return "failed"
        if self.is_cancelled:
            return "cancelled"
        if self.looks > 0:
            return "running"
        return "expired" if self.fate == "expired" else "completed"

    def look(self) -> State:
        """Let it go on a little, and return how far it is then."""
        self.looks -= 1
        return self.state

    def cancel(self) -> None:
        """End it at once."""
        self.is_cancelled = True

    @property
    def done(self) -> Sequence[tuple[str, Answer]]:
        """What has been run."""
        if self.state in ("expired", "cancelled"):
            return self.results[: len(self.results) // 2]
        if self.state != "completed":
            return ()
        return self.results[:-1] if self.fate == "holed" else self.results

    @property
    def undone(self) -> Sequence[str]:
        """The ids of what has not been run, and will not be."""
        if self.state not in ("expired", "cancelled"):
            return ()
        return [custom_id for custom_id, _ in self.results[len(self.results) // 2 :]]


class _Unsent(Exchange):
    """Holds a request that came within another one; nothing is ever sent to its sender."""

    def __init__(self, request: RecordedRequest) -> None:
        self.request = request


def answer_alone(route: Route, body: Any) -> Answer:
    """Return what ``route`` answers to a request of a batch.

    Raises:
        ValueError: the prompt or the model name asks for an unknown behaviour.
    """
    fields = body if isinstance(body, dict) else {}
    request = RecordedRequest("POST", "", {}, {}, body=wire_json.dumps(body), json=body)
    asked = route.read(fields) if route.read else None
    plan = Script().plan(request, route.family, asked)
    answer = plan.instead or route.handle(Visit(_Unsent(request), plan, fields, asked))
    assert answer is not None, "requests of a batch do not stream"
    if answer.content_type == "application/json":
        return answer
    return json_answer(answer.status, {"error": {"message": "The answer was no JSON."}})


def fate_of(visit: Visit) -> str:
    """Return how a batch that is being made is to end."""
    return next(iter(visit.plan.marks & FATES), "")


def page_of(shown: Sequence[dict[str, Any]], *, after: str, limit: int) -> dict[str, Any]:
    """Return a page of batches as both of those list them who have ids as cursors."""
    start = [each["id"] for each in shown].index(after) + 1 if after else 0
    data = shown[start : start + limit]
    return {
        "data": data,
        "first_id": data[0]["id"] if data else None,
        "last_id": data[-1]["id"] if data else None,
        "has_more": len(shown) > start + limit,
    }
