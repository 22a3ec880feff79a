"""The bare relay: Flask, gunicorn and requests with bulk reads, and no feature at all.

It is what the relay is compared with. The upstream's chunks are undone by hand, all that have
arrived at once, because the library's readers give one at a time and are five times as slow.
"""

import os
from collections.abc import Iterator

import requests
from flask import Flask, Response, request
from requests.adapters import HTTPAdapter

UPSTREAM = os.environ.get("BARE_UPSTREAM", "")

app = Flask(__name__)
session = requests.Session()
session.trust_env = False
session.mount("http://", HTTPAdapter(pool_maxsize=int(os.environ.get("BARE_THREADS", "64"))))


@app.post("/<path:path>")
def relay(path: str) -> Response:  # noqa: ARG001
    headers = {"Content-Type": "application/json", "Authorization": "Bearer upstream-key"}
    url = UPSTREAM + request.full_path
    answer = session.post(url, data=request.get_data(), headers=headers, stream=True)
    kind = answer.headers["Content-Type"]
    if answer.headers.get("Transfer-Encoding") == "chunked":
        return Response(_pieces(answer), answer.status_code, content_type=kind)
    return Response(answer.content, answer.status_code, content_type=kind)


def _pieces(answer: requests.Response) -> Iterator[bytes]:
    original = answer.raw._original_response
    held, size = b"", 1
    while size and (data := original.fp.read1(65536)):
        held, start, parts = held + data, 0, []
        while size and (line_end := held.find(b"\r\n", start)) >= 0:
            begin = line_end + 2
            end = begin + int(held[start:line_end], 16)
            if end + 2 > len(held):
                break
            size, start = end - begin, end + 2
            parts.append(held[begin:end])
        held = held[start:]
        yield b"".join(parts)
    original._close_conn()
    answer.raw.release_conn()
