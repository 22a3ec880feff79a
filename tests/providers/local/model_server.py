"""Asking a running model server directly, past the relay."""

import http.client
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from airelays_app.providers.local.supervisor import Endpoint

_PATIENCE = 60.0


class SocketConnection(http.client.HTTPConnection):
    """An HTTP connection over the server's UNIX socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_PATIENCE)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def wait_until(condition: Callable[[], object], patience: float = _PATIENCE) -> None:
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.05)


def connection_to(endpoint: Endpoint) -> http.client.HTTPConnection:
    if endpoint.socket_path is not None:
        return SocketConnection(endpoint.socket_path)
    return http.client.HTTPConnection(endpoint.base_url.removeprefix("http://"), timeout=_PATIENCE)


@contextmanager
def sent(endpoint, path, body=None, key=None) -> Iterator[http.client.HTTPResponse]:
    headers = {
        "Authorization": f"Bearer {endpoint.api_key if key is None else key}",
        "Content-Type": "application/json",
    }
    with closing(connection_to(endpoint)) as connection:
        connection.request(
            "GET" if body is None else "POST", path, body and json.dumps(body), headers
        )
        with closing(connection.getresponse()) as response:
            yield response


def answer(endpoint, path, body=None, key=None):
    with sent(endpoint, path, body, key) as response:
        return response.status, json.loads(response.read())


def busy(endpoint) -> bool:
    return any(slot["is_processing"] for slot in answer(endpoint, "/slots")[1])
