"""For those who start the relay as ``gunicorn wsgi:app -c config/gunicorn.conf.py``.

``airelays serve`` needs no such file, and does more: it checks a configuration before a reload,
keeps two servers from sharing a data directory, and speaks with systemd. Never add ``--preload``:
the state database must not be open when the workers are forked.
"""

import os

from airelays_app.server.options import ServerOptions, default_concurrency
from airelays_app.server.settings import gunicorn_settings

_STREAMS = 1000
_workers, _threads = default_concurrency(os.cpu_count() or 1, _STREAMS)

_options = ServerOptions(
    host=os.environ.get("AIRELAYS_HOST", "127.0.0.1"),
    port=int(os.environ.get("AIRELAYS_PORT", "8080")),
    workers=int(os.environ.get("AIRELAYS_WORKERS", _workers)),
    threads=int(os.environ.get("AIRELAYS_THREADS", _threads)),
    drain_seconds=60,
)

bind = f"{_options.host}:{_options.port}"
globals().update(gunicorn_settings(_options))
