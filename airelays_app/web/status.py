"""Health, the relay's status and the subscription's: what monitors and owners poll."""

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, current_app, g, request

from airelays_app.services.status import APP_NAME, Readiness, limits_summary
from airelays_app.version import VERSION
from airelays_app.web.context import services
from airelays_app.web.limits import limiter_state, limiter_totals
from airelays_app.web.replies import json_response
from airelays_app.web.route_class import RouteRules
from airelays_app.web.unsupported import blueprint as unsupported

blueprint = Blueprint("status", __name__)

RETRY_AFTER_SECONDS = 5
"""When to look again after a readiness of 503."""

_PLACEHOLDER = re.compile(r"<(?:[^:<>]*:)?([^<>]*)>")
_AUTOMATIC_METHODS = frozenset({"HEAD", "OPTIONS"})
_TRUE = frozenset({"1", "true", "yes", "on"})


@blueprint.get("/healthz")
def healthz() -> Response:
    """Say that the process answers, and which one it is."""
    return json_response({"ok": True, "app_name": APP_NAME, "version": VERSION})


@blueprint.get("/health")
def health() -> Response:
    """Say that the process answers."""
    return json_response({"status": "ok"})


@blueprint.get("/health/ready")
def ready() -> Response:
    """Say whether the storages answer: 503 without the main one, 200 but degraded otherwise."""
    readiness = services().status.readiness()
    if readiness.storage:
        return json_response(readiness.shown())
    response = json_response(_not_ready(readiness), HTTPStatus.SERVICE_UNAVAILABLE)
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


@blueprint.get("/v1/relay/status")
def relay_status() -> Response:
    """Describe this relay and how the caller stands with its limits."""
    report = services().status.report(client_base_url=client_base_url())
    report["security"] = _security()
    report["supported_routes"] = sorted(_supported_routes())
    return json_response(report)


@blueprint.get("/v1/subscription/status")
@blueprint.get("/v1/account/rate_limits", endpoint="account_rate_limits")
def subscription_status() -> Response:
    """Say how much of the subscription is used; ``raw=true`` adds the upstream's own words."""
    raw = request.args.get("raw", "").lower() in _TRUE
    return json_response(services().subscription.usage().shown(raw=raw))


@blueprint.after_request
def forbid_storing(response: Response) -> Response:
    """A status is old as soon as it is stored."""
    response.headers["Cache-Control"] = "no-store"
    return response


def client_base_url() -> str:
    """Return the base URL for clients: the configured one, or the one this request came to."""
    root = services().settings.server.public_url or request.host_url
    return f"{root.rstrip('/')}/v1"


def _not_ready(readiness: Readiness) -> dict[str, Any]:
    error = {
        "message": "The relay's storage does not answer. Run on the server: airelays doctor",
        "type": "server_error",
        "param": None,
        "code": "unavailable",
    }
    return {**readiness.shown(), "error": error}


def _security() -> dict[str, Any]:
    serving = services()
    address = g.client_address
    return {
        "protected_routes": [f"{prefix}/" for prefix in RouteRules().model_prefixes],
        "require_bearer_auth": serving.settings.security.require_bearer_auth,
        "bearer_token_present": serving.status.has_token(),
        **limits_summary(serving.settings),
        **limiter_totals(serving.limits, serving.lockouts),
        "client": {
            "ip": address.text,
            **limiter_state(serving.limits, serving.lockouts, address.group),
        },
    }


def _supported_routes() -> Iterator[str]:
    for rule in current_app.url_map.iter_rules():
        if rule.endpoint.startswith(f"{unsupported.name}."):
            continue
        path = _PLACEHOLDER.sub(r"{\1}", rule.rule)
        for method in (rule.methods or set()) - _AUTOMATIC_METHODS:
            yield f"{method} {path}"
