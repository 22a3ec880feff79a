"""The ways in which the sandbox misbehaves on demand: one small function each, one table.

A behaviour changes the plan of one request. Its keyword arguments are its options; in a prompt
they are written ``[[behave cut after=2]]`` or, in order, ``[[behave cut 2]]``.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from airelays_app.sandbox import gemini_wire
from airelays_app.sandbox.anthropic_wire import limit_headers, refused
from airelays_app.sandbox.exchange import Answer, Exchange, json_answer
from airelays_app.sandbox.plan import Frame, Halt, Plan
from airelays_app.sandbox.replies import Foreign, Outcome, Refusal, Reply, Text

_FOREVER = 3600.0
_NOT_HTTP = b"\x16\x03\x01 this is no HTTP at all \xff\xfe\r\n\r\n"
_NOT_JSON = b"data: {this is not JSON\n\n"
_RESETS_IN_SECONDS = 3600
LINE_BREAKS = "one\u2028two\u2029three\x85four\x0bfive\x0csix\x1cseven"
"""Every character that some reader takes for a line end."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One row: ``apply`` changes the plan; ``path`` is where a script meets it (the end of a
    path; empty: any inference request); ``once``: by name or directive it meets every other
    sending of the same body, so that a retry succeeds."""

    apply: Callable[..., None]
    path: str = ""
    once: bool = False


def late(plan: Plan, seconds: float = 1.0) -> None:
    """Say nothing, not even headers, for a while."""
    plan.late = seconds


def slow(plan: Plan, seconds: float = 0.05) -> None:
    """Pause before each delta (before the whole of a buffered answer)."""
    plan.pause = seconds


def silent(plan: Plan, seconds: float = _FOREVER) -> None:
    """Send the headers, then nothing; after ``seconds`` the connection closes."""
    plan.halt = Halt(-1, _stall(seconds))


def stalled(plan: Plan, after: int = 3, seconds: float = _FOREVER) -> None:
    """Fall silent after some deltas; after ``seconds`` the connection closes."""
    plan.halt = Halt(after, _stall(seconds))


def cut(plan: Plan, after: int = 3, mid_frame: bool = True) -> None:  # noqa: FBT001, FBT002
    """Close the connection after some deltas, in the middle of a frame or between two."""
    plan.halt = Halt(after, _cut_in_frame if mid_frame else _cut_between)


def no_terminal(plan: Plan, after: int = 1_000_000_000) -> None:
    """End the stream cleanly, without its terminal event."""
    plan.halt = Halt(after, lambda exchange, _: exchange.finish_stream())


def reset(plan: Plan, after: int | None = None) -> None:
    """Reset the connection: at once, or after some deltas."""
    if after is None:
        plan.reset = True
    else:
        plan.halt = Halt(after, lambda exchange, _: exchange.reset())


def garbage(plan: Plan, after: int | None = None) -> None:
    """Answer with bytes that are no HTTP, or after some deltas with data that is no JSON."""
    if after is None:
        plan.raw = _NOT_HTTP
    else:
        plan.halt = Halt(after, _babble)


def html(plan: Plan, status: int = 502) -> None:
    """Answer with an HTML page, as a proxy in front of the upstream does."""
    page = f"<html><head><title>{status}</title></head><body><h1>{status}</h1>cloudflare</body>"
    plan.instead = Answer(status, page.encode(), content_type="text/html; charset=UTF-8")


def status(
    plan: Plan,
    status: int = 500,
    type: str | None = None,  # noqa: A002
    code: str | None = None,
    message: str = "The sandbox was told to fail.",
    param: str | None = None,
    retry_after: str | int | None = None,
    body: Any = None,
) -> None:
    """Answer with any status and an error object (or with ``body``, as JSON)."""
    headers = () if retry_after is None else (("retry-after", str(retry_after)),)
    if plan.family == "anthropic" and body is None:
        plan.instead = refused(message, status, headers)
        return
    if plan.family == "gemini" and body is None:
        plan.instead = gemini_wire.refused(message, status)
        return
    kind = type or ("server_error" if status >= 500 else "invalid_request_error")
    error = {"message": message, "type": kind, "param": param, "code": code}
    plan.instead = json_answer(status, {"error": error} if body is None else body, headers)


def limit(
    plan: Plan,
    resets_in_seconds: int = _RESETS_IN_SECONDS,
    plan_type: str = "plus",
    retry_after: int | None = None,
) -> None:
    """Answer 429: the quota is used up (a plain rate limit on a compatible server)."""
    headers = [] if retry_after is None else [("retry-after", str(retry_after))]
    if plan.family == "anthropic":
        message = "This request would exceed your organization's rate limit."
        told = (("retry-after", str(retry_after or resets_in_seconds)), *limit_headers(0))
        plan.instead = refused(message, 429, told)
        return
    if plan.family == "gemini":
        plan.instead = gemini_wire.quota_used_up(retry_after or resets_in_seconds)
        return
    if plan.family != "codex":
        message = "Rate limit reached, try again later."
        error = {"message": message, "type": "requests", "param": None}
        error["code"] = "rate_limit_exceeded"
        plan.instead = json_answer(429, {"error": error}, headers or [("retry-after", "1")])
        return
    error = {
        "type": "usage_limit_reached",
        "message": "The usage limit has been reached",
        "plan_type": plan_type,
    }
    resets_at = int(time.time()) + resets_in_seconds
    quota = {"resets_at": resets_at, "resets_in_seconds": resets_in_seconds}
    headers += [("x-codex-primary-used-percent", "100"), ("x-codex-plan-type", plan_type)]
    headers += [("x-codex-primary-reset-at", str(resets_at))]
    plan.instead = json_answer(429, {"error": {**error, **quota}}, headers)


def unauthorized(plan: Plan, code: str = "token_invalidated") -> None:
    """Answer 401 although the credentials are good."""
    status(plan, 401, code=code, message="Your authentication token has been invalidated.")


def forbidden(plan: Plan, code: str | None = None) -> None:
    """Answer 403."""
    status(plan, 403, code=code, message="This account may not use this.")


def redirect(plan: Plan, location: str = "http://127.0.0.1:9/", status: int = 307) -> None:
    """Send the client elsewhere."""
    plan.instead = Answer(status, b"", headers=(("location", location),))


def failed(
    plan: Plan,
    after: int = 2,
    code: str = "server_error",
    message: str = "The model failed in the middle of its answer.",
) -> None:
    """Break off with ``response.failed`` (an error chunk in chat) after some deltas."""
    plan.edits.append(lambda reply: _ending(reply, Outcome("failed", code, message, after)))


def error_event(
    plan: Plan,
    after: int = 2,
    code: str = "server_error",
    message: str = "The stream broke in the middle of its answer.",
) -> None:
    """Break off with an ``error`` event after some deltas."""
    plan.edits.append(lambda reply: _ending(reply, Outcome("error", code, message, after)))


def incomplete(plan: Plan, reason: str = "max_output_tokens", after: int | None = None) -> None:
    """End as incomplete (``max_output_tokens`` or ``content_filter``), cut after some deltas."""

    def shorten(reply: Reply) -> Reply:
        parts = (*reply.parts[:-1], _first_deltas(reply.parts[-1], after)) if reply.parts else ()
        return _ending(replace(reply, parts=parts), Outcome("incomplete", reason))

    plan.edits.append(shorten)


def line_separator(plan: Plan) -> None:
    """Answer with ``LINE_BREAKS``, raw where JSON allows it, and comments that hold the rest."""
    _saying(plan, Text(tuple(LINE_BREAKS)))
    plan.rewrite.append(lambda data: b": a\x0bdata: {\x0cb\n" + data)


def huge(plan: Plan, megabytes: int = 8, deltas: int = 1) -> None:
    """Answer with that much text in that many deltas."""
    each = megabytes * 1_000_000 // deltas
    _saying(plan, Text(("é" * (each // 2),) * deltas))


def empty(plan: Plan) -> None:
    """Answer with no output at all."""
    plan.edits.append(lambda reply: replace(reply, parts=()))


def one_byte(plan: Plan) -> None:
    """Send every byte as a chunk of its own."""
    plan.one_byte = True


def crlf(plan: Plan) -> None:
    """End lines with CRLF."""
    plan.line_end = b"\r\n"


def comments(plan: Plan) -> None:
    """Send a comment, and fields nobody asked for, before every frame."""
    plan.rewrite.append(lambda data: b": keep-alive\n\nid: 7\nretry: 3000\n: two\n" + data)


def close_delimited(plan: Plan) -> None:
    """Send the stream without chunks; it ends with the connection."""
    plan.chunked = False


def gzipped(plan: Plan) -> None:
    """Compress a buffered answer."""
    plan.gzip = True


def buffered(plan: Plan) -> None:
    """Answer a streaming request with one JSON document."""
    plan.plain = True


def unknown_events(plan: Plan, first: bool = False) -> None:  # noqa: FBT001, FBT002
    """Add event types, item types and fields that nobody knows (``first``: before everything)."""
    item = {"id": "zz_1", "type": "mystery_call", "status": "completed", "riddle": {"depth": [1]}}

    noise: Literal["before", "after"] = "before" if first else "after"

    def mystify(reply: Reply) -> Reply:
        return replace(reply, parts=(*reply.parts, Foreign(item)), noise=noise)

    plan.edits.append(mystify)


def usage_missing(plan: Plan) -> None:
    """Leave the usage out."""
    plan.edits.append(lambda reply: replace(reply, usage=None))


def _refresh_refused(code: str) -> Callable[[Plan], None]:
    return lambda plan: status(plan, 401, code=code, message="This refresh token is dead.")


def _marked(mark: str) -> Callable[[Plan], None]:
    return lambda plan: plan.marks.add(mark)


BEHAVIOURS: dict[str, Behaviour] = {
    "late": Behaviour(late),
    "slow": Behaviour(slow),
    "silent": Behaviour(silent),
    "stalled": Behaviour(stalled),
    "cut": Behaviour(cut),
    "no_terminal": Behaviour(no_terminal),
    "reset": Behaviour(reset),
    "garbage": Behaviour(garbage),
    "html": Behaviour(html),
    "status": Behaviour(status),
    "limit": Behaviour(limit),
    "unauthorized": Behaviour(unauthorized),
    "unauthorized_once": Behaviour(unauthorized, once=True),
    "forbidden": Behaviour(forbidden),
    "redirect": Behaviour(redirect),
    "failed": Behaviour(failed),
    "error_event": Behaviour(error_event),
    "incomplete": Behaviour(incomplete),
    "line_separator": Behaviour(line_separator),
    "huge": Behaviour(huge),
    "empty": Behaviour(empty),
    "one_byte": Behaviour(one_byte),
    "crlf": Behaviour(crlf),
    "comments": Behaviour(comments),
    "close_delimited": Behaviour(close_delimited),
    "gzip": Behaviour(gzipped),
    "buffered": Behaviour(buffered),
    "unknown_events": Behaviour(unknown_events),
    "usage_missing": Behaviour(usage_missing),
    "blocked": Behaviour(_marked("blocked")),
    "batch_failed": Behaviour(_marked("failed"), path="batches"),
    "batch_expired": Behaviour(_marked("expired"), path="batches"),
    "batch_holed": Behaviour(_marked("holed"), path="batches"),
    "batch_keyless": Behaviour(_marked("keyless"), path=":batchGenerateContent"),
    "refresh_token_expired": Behaviour(
        _refresh_refused("refresh_token_expired"), path="/oauth/token"
    ),
    "refresh_token_invalidated": Behaviour(
        _refresh_refused("refresh_token_invalidated"), path="/oauth/token"
    ),
    "refresh_token_reused": Behaviour(
        _refresh_refused("refresh_token_reused"), path="/oauth/token"
    ),
    "access_denied": Behaviour(_marked("access_denied"), path="/oauth/authorize"),
    "wrong_state": Behaviour(_marked("wrong_state"), path="/oauth/authorize"),
    "device_not_enabled": Behaviour(_marked("device_not_enabled"), path="/deviceauth/usercode"),
}
"""Every behaviour by the name that scripts, prompts and model suffixes use."""


def _ending(reply: Reply, outcome: Outcome) -> Reply:
    return replace(reply, outcome=outcome)


def _saying(plan: Plan, part: Text) -> None:
    plan.edits.append(lambda reply: replace(reply, parts=(part,)))


def _first_deltas(part: Any, count: int | None) -> Any:
    if count is None or not isinstance(part, Text | Refusal):
        return part
    return replace(part, deltas=part.deltas[:count])


def _stall(seconds: float) -> Callable[[Exchange, Frame], None]:
    def act(exchange: Exchange, _: Frame) -> None:
        exchange.wait(seconds)
        exchange.hang_up()

    return act


def _cut_in_frame(exchange: Exchange, upcoming: Frame) -> None:
    exchange.send_part_of_chunk(upcoming.data)
    exchange.hang_up()


def _cut_between(exchange: Exchange, _: Frame) -> None:
    exchange.hang_up()


def _babble(exchange: Exchange, _: Frame) -> None:
    exchange.send(_NOT_JSON)
    exchange.finish_stream()
