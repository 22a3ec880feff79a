"""gunicorn's settings for our options: the one place where the two meet."""

import os
from pathlib import Path
from typing import Any
from wsgiref.types import WSGIApplication

from gunicorn.config import Config

from airelays_app.logs import speak_for_process
from airelays_app.server.logs import GunicornLog
from airelays_app.server.options import Plan, ServerOptions
from airelays_app.server.worker import RelayWorker

_IDLE_CONNECTIONS = 512
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - anonymous files only, see worker_tmp_dir


def gunicorn_settings(options: ServerOptions) -> dict[str, Any]:
    """Return the settings by name, as a gunicorn configuration file would define them."""
    return {
        "worker_class": RelayWorker,
        "logger_class": GunicornLog,
        "workers": options.workers,
        "threads": options.threads,
        "worker_connections": 2 * options.threads + _IDLE_CONNECTIONS,
        "keepalive": options.keepalive_seconds,
        "graceful_timeout": options.drain_seconds,
        "timeout": options.heartbeat_seconds,
        "backlog": options.backlog,
        "worker_tmp_dir": str(_SHARED_MEMORY) if os.access(_SHARED_MEMORY, os.W_OK) else None,
        "limit_request_line": 8190,
        "limit_request_fields": 100,
        "http_parser": "python",
        "sendfile": False,
        "preload_app": False,
        "control_socket_disable": True,
        **_TRUST_NO_PROXY,
    }


_TRUST_NO_PROXY: dict[str, Any] = {
    "forwarded_allow_ips": "",
    "forwarder_headers": "",
    "secure_scheme_headers": {},
    "proxy_protocol": "off",
}


class PlannedApplication:
    """What gunicorn takes for its application: configuration, and the WSGI callable on demand."""

    def __init__(self, plan: Plan) -> None:
        """Raise ``ValueError`` or ``TypeError`` where gunicorn refuses an option."""
        self.options = plan.options
        self.cfg = Config()
        for name, value in gunicorn_settings(plan.options).items():
            self.cfg.set(name, value)
        self.cfg.validate()
        self._make_app = plan.make_app

    def wsgi(self) -> WSGIApplication:
        """Make the application; gunicorn calls this once, in the worker."""
        speak_for_process()
        return self._make_app()
