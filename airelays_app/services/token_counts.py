"""Counting what a request would cost, without asking for the reply."""

from dataclasses import replace
from http import HTTPStatus

from airelays_app.dialects import DIALECTS
from airelays_app.dialects.base import Counting
from airelays_app.errors import UpstreamError, UpstreamRefused
from airelays_app.framing.jsontext import dumps, loads
from airelays_app.neutral.token_estimate import estimate
from airelays_app.providers.base import Relayed
from airelays_app.services.answered import answered_object
from airelays_app.services.calls import Calls, passed_headers
from airelays_app.services.continuation import Continuation
from airelays_app.services.creation import Asked, Validate, call_of
from airelays_app.services.file_inputs import FileInputs
from airelays_app.services.generation import Call, may_stay_native, prepare, with_history
from airelays_app.services.pool import Pool
from airelays_app.services.record import Record
from airelays_app.services.relay import Answer
from airelays_app.services.turns import conversation_id

ESTIMATED_HEADER = "x-airelays-estimated"
"""Names what of the answer is an estimate."""

_MAX_ANSWER_BYTES = 1024 * 1024
_LACKING = frozenset(
    {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED}
)


class TokenCounts:
    """Counts the upstream's way where it counts, and estimates everywhere else."""

    def __init__(
        self,
        calls: Calls,
        pool: Pool,
        *,
        validate: Validate,
        files: FileInputs,
        continuation: Continuation,
    ) -> None:
        self._calls = calls
        self._pool = pool
        self._validate = validate
        self._files = files
        self._continuation = continuation

    def answer(self, asked: Asked, record: Record) -> Answer:
        """Return the count as the client's dialect words it; raises RelayError, ClientGone."""
        provider = asked.route.provider
        self._validate(
            asked.body,
            dialect=asked.dialect.name,
            provider=provider,
            refuses_tools=asked.refuses_tools,
        )
        record.dialect, record.provider = asked.dialect.name, provider.name
        record.model = asked.route.model
        continued = self._continuation.read(asked.dialect, asked.owner, asked.body)
        call = replace(
            call_of(asked, continued, self._files.resolver(asked.owner), record.request_id),
            conversation=conversation_id(asked.body),
        )
        counting = _upstreams(call)
        if counting is None:
            return _estimated(call)
        try:
            return self._pool.ask(
                call.route,
                lambda route: self._counted(replace(call, route=route), counting, record),
                fallbacks=False,
            )
        except UpstreamRefused as error:
            if not lacks_operation(error, call.route.model):
                raise
            return _estimated(call)

    def _counted(self, call: Call, counting: Counting, record: Record) -> Answer:
        """Ask with what would be sent for the reply itself."""
        provider, model = call.route.provider, call.route.model
        prepared = prepare(call)
        asking = Relayed(
            "POST",
            provider.operations[counting.operation],
            {**prepared.headers, "Content-Type": "application/json"},
            dumps(counting.asked(loads(prepared.body), model)),
            model=model,
        )
        record.attempts += 1
        response = self._calls.accepted(
            provider, lambda: provider.relayed(asking), record, watch=call.watch
        )
        headers = passed_headers(provider, response)
        body = response.read(limit=_MAX_ANSWER_BYTES)
        if prepared.upstream_dialect != call.dialect.name:
            body = _worded(call, _sum_in(body, counting))
        return Answer(body, headers=headers)


def _upstreams(call: Call) -> Counting | None:
    """Return how the upstream counts what it would be sent for a reply."""
    provider = call.route.provider
    is_native = call.dialect.name in provider.dialects and may_stay_native(call)
    counting = (call.dialect if is_native else DIALECTS[provider.dialects[0]]).counting
    return counting if counting and counting.operation in provider.operations else None


def _sum_in(body: bytes, counting: Counting) -> int:
    """Return what was counted; raises UpstreamError."""
    tokens = answered_object(body).get(counting.field)
    if not isinstance(tokens, int):
        raise UpstreamError(f"The upstream did not answer with {counting.field}.")
    return tokens


def _worded(call: Call, tokens: int) -> bytes:
    counting = call.dialect.counting
    assert counting
    return dumps({**dict(counting.constants), counting.field: tokens})


def _estimated(call: Call) -> Answer:
    assert call.dialect.counting
    request, _ = call.dialect.decode_request(call.body)
    request = with_history(call, request)
    headers = {ESTIMATED_HEADER: call.dialect.counting.field}
    return Answer(_worded(call, estimate(request)), headers=headers)


def lacks_operation(error: UpstreamRefused, model: str) -> bool:
    """Tell a server that cannot do it from one that does not know the model."""
    return error.status in _LACKING and error.param != "model" and model not in error.message
