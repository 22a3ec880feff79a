"""Each request's id, its record, its log line, and the headers that every answer has."""

import logging
from functools import partial
from weakref import ref

from flask import Flask, Response, g, request

from airelays_app.ids import request_id
from airelays_app.services.record import Record
from airelays_app.services.traffic import Traffic
from airelays_app.store import redaction
from airelays_app.web.answering_dialect import answering_dialect
from airelays_app.web.context import record, services
from airelays_app.web.scope import scope_prefix

_log = logging.getLogger("airelays.requests")


def install(app: Flask) -> None:
    """Give ``app``'s requests an id, a record and a log line."""
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    g.record = Record(
        request_id=request_id(request.headers.get("X-Request-Id")),
        method=request.method,
        path=_path(scope_prefix() + request.path),
    )


def _path(path: str) -> str:
    """Where there is no route, whatever a client has put into its base URL may be in the path."""
    return path if request.url_rule else redaction.path(path)


def _end(response: Response) -> Response:
    entry = record()
    entry.status = response.status_code
    response.headers["X-Request-Id"] = entry.request_id
    if name := answering_dialect(request).request_id_header:
        response.headers[name] = entry.request_id
    response.headers["X-Content-Type-Options"] = "nosniff"
    if not response.is_streamed:
        entry.bytes_out = entry.bytes_out or response.content_length or 0
    address = g.get("client_address")
    entry.address = address.text if address else ""
    credential = g.get("credential")
    entry.credential = credential.name if credential else ""
    response.call_on_close(partial(_close, entry, services().traffic, ref(response)))
    return response


def _close(entry: Record, traffic: Traffic, answered: ref[Response]) -> None:
    """One line per request when its answer has been given: no prompt, answer, query or secret.

    It runs outside of any request context. A response that its own callback held on to would stay
    until the next search for garbage, and the request's body with it.
    """
    _log.info("request", extra={"fields": entry.fields()})
    response = answered()
    if traffic.is_on and response is not None:
        body = None if response.is_streamed else response.get_data()
        traffic.outbound(entry, headers=response.headers.items(), body=body)
