"""What the server leans on inside gunicorn, so that an upgrade which moves it fails here first.

Also: plain ``gunicorn`` with ``config/gunicorn.conf.py`` runs the same worker.
"""

import inspect
import socket
import sys
from pathlib import Path

import pytest
from gunicorn import arbiter
from gunicorn.config import Config
from gunicorn.http import body, parser, unreader, wsgi
from gunicorn.http.message import Request
from gunicorn.workers import base, gthread, workertmp

from airelays_app.server.options import Plan, ServerOptions, default_concurrency
from airelays_app.server.settings import PlannedApplication, gunicorn_settings

CONFIG = Path(__file__).parents[2] / "config" / "gunicorn.conf.py"
OPTIONS = ServerOptions(host="127.0.0.1", port=0, workers=2, threads=8)


def parameters(function):
    return list(inspect.signature(function).parameters)


def test_the_arbiter_queues_signals_and_names_their_handlers():
    assert parameters(arbiter.Arbiter.wait_for_signals) == ["self", "timeout"]
    assert parameters(arbiter.Arbiter.init_signals) == ["self"]
    for number in arbiter.Arbiter.SIGNALS:
        assert hasattr(arbiter.Arbiter, f"handle_{arbiter.Arbiter.SIG_NAMES[number]}")


def test_a_worker_is_made_before_the_fork_and_lives_in_init_process():
    assert parameters(base.Worker.__init__)[1:] == [
        *("age", "ppid", "sockets", "app", "timeout", "cfg", "log")
    ]
    for name in ("init_process", "init_signals", "load_wsgi", "notify", "run", "handle_exit"):
        assert hasattr(gthread.ThreadWorker, name)


def test_the_heartbeat_is_the_monotonic_time_of_a_file():
    tmp = workertmp.WorkerTmp(Config())
    try:
        tmp.notify()
        assert 0 < tmp.last_update() < 1_000_000_000
    finally:
        tmp.close()


def test_the_thread_worker_has_the_parts_that_ours_replaces_or_calls():
    for name in ("accept", "set_accept_enabled", "wait_for_and_dispatch_events", "handle"):
        assert callable(getattr(gthread.ThreadWorker, name))
    for name in ("handle_request", "get_thread_pool", "is_parent_alive"):
        assert callable(getattr(gthread.ThreadWorker, name))
    assert parameters(gthread.PollableMethodQueue.defer) == ["self", "callback", "args"]
    assert parameters(gthread.PollableMethodQueue.run_callbacks)[:2] == ["self", "_fileobj"]


def test_the_parser_reads_from_a_replaceable_source_and_its_body_from_a_replaceable_reader():
    mine, theirs = socket.socketpair()
    with mine, theirs:
        found = parser.RequestParser(Config(), mine, ("127.0.0.1", 1))
        assert type(found.unreader) is unreader.SocketUnreader
        found.unreader.unread(b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nokrest")
        request = next(found)
        assert isinstance(request, Request)
        assert isinstance(request.body.reader, body.LengthReader)
        assert request.body.read() == b"ok"
        assert found.unreader.take_buffered() == b"rest"
        assert not request.should_close()
        request.force_close()
        assert request.should_close()
    assert parameters(parser.Parser.finish_body) == ["self", "deadline", "max_bytes"]
    assert unreader.SocketUnreader.max_body_chunk >= 65_536


def test_the_response_counts_what_it_sends():
    assert parameters(wsgi.create)[:5] == ["req", "sock", "client", "server", "cfg"]
    made = inspect.getsource(wsgi.Response.__init__)
    for name in ("headers_sent", "response_length", "sent", "_omits_body"):
        assert f"self.{name} = " in made


def test_no_setting_lets_gunicorn_trust_a_proxy_or_open_a_control_socket():
    cfg = PlannedApplication(Plan(OPTIONS, make_app=lambda: None)).cfg
    assert cfg.forwarded_allow_ips == []
    assert cfg.forwarder_headers == []
    assert cfg.secure_scheme_headers == {}
    assert cfg.control_socket_disable
    assert not cfg.preload_app
    assert cfg.accesslog is None
    assert (cfg.limit_request_line, cfg.limit_request_fields) == (8190, 100)
    assert set(gunicorn_settings(OPTIONS)) <= set(cfg.settings)


def test_plain_gunicorn_runs_our_worker(start, tmp_path, tools):
    (tmp_path / "small_wsgi.py").write_text(
        "def app(environ, start_response):\n"
        "    start_response('200 OK', [('Content-Length', '2')])\n"
        "    return [b'ok']\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = start(
        command=[
            *(sys.executable, "-m", "gunicorn", "-c", str(CONFIG), "--pythonpath", str(tmp_path)),
            *("-b", f"127.0.0.1:{port}", "small_wsgi:app"),
        ],
        environ={"AIRELAYS_WORKERS": "1", "AIRELAYS_THREADS": "2"},
    )
    server.address = ("127.0.0.1", port)
    tools.wait_until(lambda: answers(server), "an answer")
    assert server.get("/") == (200, "ok")
    with server.connect() as half_sent, server.connect() as other:
        half_sent.sendall(b"GET / HTTP/1.1\r\n")
        other.sendall(b"GET / HTTP/1.1\r\n")
        assert server.get("/") == (200, "ok")
    assert "RelayWorker" in server.logged()
    assert server.stop() == 0


def answers(server):
    try:
        return server.get("/")[0] == 200
    except OSError:
        return False


@pytest.mark.parametrize(("cores", "streams"), [(1, 1), (1, 1000), (2, 1000), (64, 10_000)])
def test_default_concurrency_holds_the_streams_and_survives_a_worker(cores, streams):
    workers, threads = default_concurrency(cores, streams)
    assert 2 <= workers <= 8
    assert workers * threads > streams
    assert threads >= 16
