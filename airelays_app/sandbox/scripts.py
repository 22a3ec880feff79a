"""Which behaviours a request meets: scripted ones, those in its model name, those in its prompt."""

import hashlib
import inspect
import shlex
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from airelays_app.sandbox import wire_json
from airelays_app.sandbox.answering import behaviours_for
from airelays_app.sandbox.asked import Asked
from airelays_app.sandbox.behaviours import BEHAVIOURS
from airelays_app.sandbox.plan import Family, Plan
from airelays_app.sandbox.recorded import RecordedRequest

Bound = Callable[[Plan], None]

SUFFIX = "+"
"""Parts a model's name from behaviours: ``gpt-5.5+slow+crlf``."""


@dataclass(slots=True)
class _Entry:
    bound: list[Bound]
    path: str
    model: str | None
    left: int


class Script:
    """A queue of behaviours waiting for the requests they are meant for; safe for many threads."""

    def __init__(self) -> None:
        self._queue: list[_Entry] = []
        self._met_once: set[tuple[str, bytes]] = set()
        self._guard = threading.Lock()

    def add(
        self,
        names: str,
        *,
        times: int,
        path: str | None,
        model: str | None,
        options: dict[str, Any],
    ) -> None:
        """Queue ``names`` (joined with ``+``) for the next ``times`` matching requests.

        Raises:
            ValueError: an unknown behaviour or option.
        """
        first, *others = names.split(SUFFIX)
        bound = [bind(first, (), options), *(bind(name, (), {}) for name in others)]
        where = BEHAVIOURS[first].path if path is None else path
        with self._guard:
            self._queue.append(_Entry(bound, where, model, times))

    def clear(self) -> None:
        """Forget what is queued."""
        with self._guard:
            self._queue.clear()
            self._met_once.clear()

    def plan(self, request: RecordedRequest, family: Family, asked: Asked | None) -> Plan:
        """Return the plan for a request; takes one queued entry off if one matches.

        ``asked`` is what an inference request asks for, None for any other request.

        Raises:
            ValueError: the prompt or the model name asks for an unknown behaviour.
        """
        plan = Plan(family)
        for apply in self._scripted(request, inference=asked is not None):
            apply(plan)
        for apply in self._requested(request, asked) if asked else ():
            apply(plan)
        return plan

    def _scripted(self, request: RecordedRequest, *, inference: bool) -> list[Bound]:
        with self._guard:
            for entry in self._queue:
                if _matches(entry, request, inference=inference):
                    entry.left -= 1
                    if not entry.left:
                        self._queue.remove(entry)
                    return entry.bound
        return []

    def _requested(self, request: RecordedRequest, asked: Asked) -> Iterator[Bound]:
        for name in asked.model.split(SUFFIX)[1:]:
            if self._meets(name, request):
                yield bind(name, (), {})
        for directive in behaviours_for(asked):
            if self._meets(directive.name, request):
                given, options = options_in(directive.text)
                yield bind(directive.name, given, options)

    def _meets(self, name: str, request: RecordedRequest) -> bool:
        if name not in BEHAVIOURS or not BEHAVIOURS[name].once:
            return True
        key = (name, hashlib.sha256(request.body).digest())
        with self._guard:
            if key in self._met_once:
                self._met_once.remove(key)
                return False
            self._met_once.add(key)
            return True


def bind(name: str, given: tuple[Any, ...], options: dict[str, Any]) -> Bound:
    """Return the behaviour ``name`` with its options set.

    Raises:
        ValueError: no such behaviour, or an option that it does not take.
    """
    if name not in BEHAVIOURS:
        raise ValueError(f"no behaviour {name!r}; there are: {', '.join(BEHAVIOURS)}")
    apply = BEHAVIOURS[name].apply
    try:
        inspect.signature(apply).bind(None, *given, **options)
    except TypeError as error:
        raise ValueError(f"behaviour {name!r}: {error}") from error
    return lambda plan: apply(plan, *given, **options)


def options_in(text: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Read options as a prompt writes them: ``2 code=overloaded message='try later'``."""
    given: list[Any] = []
    options: dict[str, Any] = {}
    for word in shlex.split(text):
        name, equals, value = word.partition("=")
        if equals:
            options[name] = _value(value)
        else:
            given.append(_value(word))
    return tuple(given), options


def _value(word: str) -> Any:
    try:
        return wire_json.loads(word.encode())
    except ValueError:
        return word


def _matches(entry: _Entry, request: RecordedRequest, *, inference: bool) -> bool:
    if entry.model is not None and entry.model != _model_of(request):
        return False
    return request.path.endswith(entry.path) if entry.path else inference


def _model_of(request: RecordedRequest) -> str:
    given = request.json.get("model") if isinstance(request.json, dict) else None
    return given if isinstance(given, str) else ""
