"""The one tree of errors.

Every error that a client may see is a :class:`RelayError`. It knows its HTTP status and the
``type`` and ``code`` of the OpenAI error envelope; the dialects render it in their own shape.
Messages name the field and what to do about it. They never contain a credential, a prompt, an
answer or a path of this machine.

::

    RelayError
      BadRequest 400              malformed: not JSON, not an object, not UTF-8
      Unauthorized 401            no relay token, or a wrong one
      Forbidden 403               Host or Origin not allowed, network not allowed
      NotFound 404
      MethodNotAllowed 405
      RequestTimeout 408          the client was too slow to send its request
      Conflict 409                something else is using the thing right now
      TooLarge 413
      UnsupportedMediaType 415
      Unprocessable 422           understood, but refused or of the wrong type; names ``param``
      UpgradeRequired 426
      TooManyRequests 429         limits of our own; always has Retry-After
      ClosedEarly 499             the client closed its side; mostly for the log
      Unsupported 501             a route or operation that no provider of the owner has
      UpstreamError 502           the upstream answered nonsense, was cut or could not be reached
        UpstreamUnreachable 502
        UpstreamCut 502           the connection broke after the answer had begun
        UpstreamTimeout 504
        UpstreamRefused           the upstream's own error; status and body follow the upstream
      UpstreamLoginError 503      the owner's login at the upstream is the problem
      Unavailable 503             storage of our own is the problem; always has Retry-After
    ClientGone                    nobody is left to answer
    ConfigError                   a setting is unknown or has a bad value
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

LoginProblem = Literal["missing", "refresh_failed", "incomplete", "account_mismatch", "rejected"]
FailureKind = Literal["limit", "client", "auth", "other"]
"""What decides how a failure is met; see :class:`airelays_app.neutral.failure.Failure`."""


class RelayError(Exception):
    """An error that is answered to the client as ``status`` with a JSON body."""

    status: int = 500
    type: str = "server_error"
    code: str | None = None

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.headers: dict[str, str] = dict(headers or {})
        if code is not None:
            self.code = code


class BadRequest(RelayError):
    """The request is malformed."""

    status = 400
    type = "invalid_request_error"


class Unauthorized(RelayError):
    """No relay token, or a wrong one."""

    status = 401
    type = "authentication_error"
    code = "invalid_api_key"

    def __init__(self, message: str) -> None:
        super().__init__(message, headers={"WWW-Authenticate": "Bearer", "x-should-retry": "false"})


class Forbidden(RelayError):
    """The caller is known or harmless, but not from there."""

    status = 403
    type = "permission_error"


class NotFound(RelayError):
    """No such route or thing."""

    status = 404
    type = "invalid_request_error"
    code = "not_found"


class MethodNotAllowed(RelayError):
    """The route exists, but not with this method."""

    status = 405
    type = "invalid_request_error"
    code = "method_not_allowed"


class RequestTimeout(RelayError):
    """The client was too slow to send its request."""

    status = 408
    type = "invalid_request_error"
    code = "request_timeout"


class Conflict(RelayError):
    """Something else is using the thing right now."""

    status = 409
    type = "invalid_request_error"


class TooLarge(RelayError):
    """The body, or what it would add to the store, is over a limit."""

    status = 413
    type = "invalid_request_error"
    code = "request_too_large"


class UnsupportedMediaType(RelayError):
    """The body's content type or encoding is not one the route takes."""

    status = 415
    type = "invalid_request_error"
    code = "unsupported_media_type"


class Unprocessable(RelayError):
    """Understood, but refused or of the wrong type; ``param`` names the field."""

    status = 422
    type = "invalid_request_error"


class UpgradeRequired(RelayError):
    """The route speaks only through an upgraded connection."""

    status = 426
    type = "invalid_request_error"
    code = "upgrade_required"


class TooManyRequests(RelayError):
    """One of our own limits; ``retry_after`` is in whole seconds."""

    status = 429
    type = "rate_limit_error"

    def __init__(self, message: str, *, code: str, retry_after: int) -> None:
        super().__init__(message, code=code, headers={"Retry-After": str(max(1, retry_after))})


class ClosedEarly(RelayError):
    """The client closed its side; only one that closed no more than that can read it.

    The number is nginx's.
    """

    status = 499
    type = "invalid_request_error"
    code = "client_gone"


class Unsupported(RelayError):
    """A route or operation that no provider of the owner has."""

    status = 501
    type = "unsupported_error"
    code = "unsupported"

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message, param=param, headers={"x-should-retry": "false"})


class UpstreamError(RelayError):
    """The upstream answered nonsense, was cut or could not be reached."""

    status = 502
    type = "upstream_error"
    code: str | None = "upstream_error"


class UpstreamUnreachable(UpstreamError):
    """No connection: name resolution, TCP, TLS or the proxy failed."""

    code = "upstream_unreachable"


class UpstreamCut(UpstreamError):
    """The connection broke after the answer had begun."""

    code = "stream_incomplete"


class UpstreamTimeout(UpstreamError):
    """The upstream was silent for longer than the read timeout."""

    status = 504
    code = "upstream_timeout"


class UpstreamRefused(UpstreamError):
    """The upstream's own error answer.

    ``kind`` is what its words make of it, which the status alone may not tell. ``extra`` holds the
    further keys of its error object (``plan_type``, ``resets_at``, ``resets_in_seconds`` ...),
    which are passed on as structure.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        type: str,  # noqa: A002 - the name of the field in the envelope
        kind: FailureKind | None = None,
        code: str | None = None,
        param: str | None = None,
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, param=param, headers=headers)
        self.status = status
        self.type = type
        self.kind = kind
        self.code = code
        self.extra: dict[str, Any] = dict(extra or {})


class UpstreamLoginError(RelayError):
    """The owner's login at the upstream is the problem, not the client's token.

    Nobody knows when the owner will see to it, so ``Retry-After`` is short: Codex CLI 0.169 comes
    back 30 times before it shows the message (measured 2026-11-25: 31 s with 1, 150 s with 5).
    """

    status = 503
    type = "authentication_error"
    _MESSAGES: ClassVar[dict[LoginProblem, str]] = {
        "missing": "There is no login at the upstream.",
        "refresh_failed": "The upstream refused to renew the login.",
        "incomplete": "The stored login lacks tokens.",
        "account_mismatch": "The stored login belongs to another account.",
        "rejected": "The upstream rejected the login.",
    }

    def __init__(
        self,
        problem: LoginProblem,
        *,
        detail: str = "",
        advice: str = "Run: airelays login",
    ) -> None:
        said = f" It says: {detail}" if detail else ""
        super().__init__(
            f"{self._MESSAGES[problem]} {advice}.{said}",
            code=f"upstream_auth_{problem}",
            headers={
                "x-airelays-upstream-auth": problem,
                "Retry-After": "1",
                "x-should-retry": "false",
            },
        )
        self.problem: LoginProblem = problem


class Unavailable(RelayError):
    """Storage of our own is the problem."""

    status = 503
    type = "server_error"
    code = "unavailable"

    def __init__(self, message: str, *, retry_after: int = 5) -> None:
        super().__init__(message, headers={"Retry-After": str(retry_after)})


class ClientGone(Exception):
    """The client has left; close what is open for it and answer nothing."""


class ConfigError(Exception):
    """A setting is unknown or has a bad value; the message names it and the nearest right one."""
