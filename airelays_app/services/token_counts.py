"""Counting what a request would cost, without asking for the reply."""

from dataclasses import replace
from http import HTTPStatus

from airelays_app.errors import UpstreamRefused
from airelays_app.framing.jsontext import dumps
from airelays_app.neutral.token_estimate import estimate
from airelays_app.providers.base import Relayed
from airelays_app.services.calls import Calls, passed_headers
from airelays_app.services.continuation import Continued
from airelays_app.services.creation import Asked, Validate, call_of
from airelays_app.services.file_inputs import resolver
from airelays_app.services.generation import Call, prepare
from airelays_app.services.pool import Pool
from airelays_app.services.record import Record
from airelays_app.services.relay import Answer
from airelays_app.store.files import FileStore

ESTIMATED_HEADER = "x-airelays-estimated"
"""Names what of the answer is an estimate."""

_COUNT = "messages/count_tokens"
_MAX_ANSWER_BYTES = 1024 * 1024
_LACKING = frozenset(
    {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED}
)


class TokenCounts:
    """Counts the upstream's way where it counts, and estimates everywhere else."""

    def __init__(self, calls: Calls, pool: Pool, *, validate: Validate, files: FileStore) -> None:
        self._calls = calls
        self._pool = pool
        self._validate = validate
        self._files = files

    def answer(self, asked: Asked, record: Record) -> Answer:
        """Return ``{"input_tokens": ...}``; raises RelayError, ClientGone."""
        provider = asked.route.provider
        self._validate(
            asked.body,
            dialect=asked.dialect.name,
            provider=provider,
            refuses_tools=asked.refuses_tools,
        )
        record.dialect, record.provider = asked.dialect.name, provider.name
        record.model = asked.route.model
        call = call_of(asked, Continued(asked.body), resolver(self._files), record.request_id)
        path = provider.operations.get(_COUNT)
        if path is None:
            return _estimated(call)
        try:
            return self._pool.ask(
                call.route,
                lambda route: self._counted(replace(call, route=route), path, record),
                fallbacks=False,
            )
        except UpstreamRefused as error:
            if not _lacks_counting(error, call.route.model):
                raise
            return _estimated(call)

    def _counted(self, call: Call, path: str, record: Record) -> Answer:
        """Ask with what would be sent for the reply itself."""
        provider = call.route.provider
        prepared = prepare(call)
        headers = {**prepared.headers, "Content-Type": "application/json"}
        counting = Relayed("POST", path, headers, prepared.body)
        record.attempts += 1
        response = self._calls.accepted(
            provider, lambda: provider.relayed(counting), record, watch=call.watch
        )
        headers = passed_headers(provider, response)
        return Answer(response.read(limit=_MAX_ANSWER_BYTES), headers=headers)


def _estimated(call: Call) -> Answer:
    request, _ = call.dialect.decode_request(call.body)
    counted = dumps({"input_tokens": estimate(request)})
    return Answer(counted, headers={ESTIMATED_HEADER: "input_tokens"})


def _lacks_counting(error: UpstreamRefused, model: str) -> bool:
    """Tell a server that cannot count from one that does not know the model."""
    return error.status in _LACKING and error.param != "model" and model not in error.message
