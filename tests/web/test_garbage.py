"""What a request has taken is free when it is answered: nothing of it waits for a search for
garbage, which comes seldom, and a request may have many megabytes.
"""

import gc
import socket
import threading
from collections import Counter

import pytest

from airelays_app.composition.application import create_app
from airelays_app.config.loading import load_settings

STREAM = (
    b'data: {"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]}\n\n'
    b"data: [DONE]\n\n"
)
WHOLE = b'{"object":"chat.completion","choices":[]}'


def answer(body, kind):
    head = b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n" % (kind, len(body))
    return head + body


@pytest.fixture
def upstream():
    """A server that gives each connection one answer: a stream where that is asked for."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                with client:
                    streams = b'"stream":true' in client.recv(65_536)
                    said = (
                        (STREAM, b"text/event-stream") if streams else (WHOLE, b"application/json")
                    )
                    client.sendall(answer(*said))

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.fixture
def client(tmp_path, upstream):
    settings = load_settings(
        environ={
            "HOME": str(tmp_path),
            "AIRELAYS_REQUIRE_BEARER_AUTH": "false",
            "AIRELAYS_PROVIDERS_FAST_BASE_URL": upstream,
        }
    )
    return create_app(settings).test_client()


@pytest.mark.parametrize("streams", [True, False])
def test_nothing_of_an_answered_request_is_left_to_the_garbage_collector(client, streams):
    ask(client, streams)
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        ask(client, streams)
        gc.collect()
        left = Counter(type(each).__name__ for each in gc.garbage)
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()

    large = {"RelayRequest", "Response", "ClientStream", "Pump", "Prepared", "Record", "Wire"}
    assert not left.keys() & large


def ask(client, streams):
    body = {"model": "fast/m", "stream": streams, "messages": [{"role": "user", "content": "?"}]}
    with client.post("/v1/chat/completions", json=body) as response:
        assert response.status_code == 200, response.text
        assert b"choices" in response.data
