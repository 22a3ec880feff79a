"""A small relay behind the real gate, on a real socket, and a client that sends exact bytes."""

import json
import socket
import threading
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from flask import Flask, Response, g, jsonify, request

from airelays_app.errors import RelayError
from airelays_app.store.database import Database
from airelays_app.store.lockouts import LockoutRule, Lockouts
from airelays_app.store.rate_leases import LeasedTokenBucket
from airelays_app.store.slots import Slots
from airelays_app.store.steady_clock import SteadyClock
from airelays_app.store.tokens import DeviceTokens
from airelays_app.web.admission import Admission, AdmissionRules
from airelays_app.web.auth import CredentialGate
from airelays_app.web.limits import AddressLimits, attach_limiter

TOKEN = "the-owners-main-token"


class HandClock:
    """Seconds that pass only when told to."""

    def __init__(self):
        self.now = 1_000_000.0

    def __call__(self):
        return self.now


def error_answer(error):
    body = {"error": {"message": error.message, "type": error.type, "code": error.code}}
    return jsonify(body), error.status, error.headers


def routes_of(app, gates):
    app.register_error_handler(RelayError, error_answer)
    app.add_url_rule("/", view_func=lambda: "home", endpoint="home")
    app.add_url_rule("/healthz", view_func=lambda: "ok", endpoint="healthz")
    app.add_url_rule("/assets/<path:name>", view_func=lambda name: name, endpoint="assets")
    app.add_url_rule("/admin/users", view_func=lambda: "users", endpoint="users")
    app.add_url_rule("/later/added", view_func=lambda: "later", endpoint="later")
    app.add_url_rule("/v1/crash", view_func=lambda: 1 / 0, endpoint="crash")

    @app.route("/v1/models", methods=["GET", "POST"])
    def models():
        return jsonify(name=g.credential and g.credential.name, ip=g.client_address.text)

    @app.get("/v1/stream")
    def stream():
        def chunks():
            yield b"data: first\n\n"
            gates["open"].wait(60)
            yield b"data: last\n\n"

        response = Response(chunks(), mimetype="text/event-stream")
        response.headers["x-airelays-ignored-parameters"] = "top_p"
        return response

    @app.get("/v1/broken-stream")
    def broken_stream():
        def chunks():
            yield b"data: first\n\n"
            raise OSError("the upstream broke")

        return Response(chunks(), mimetype="text/event-stream")

    @app.post("/v1/echo")
    def echo():
        return request.get_data()


class Relay:
    """The app, its parts and its address; ``client`` speaks to it without a socket."""

    def __init__(
        self,
        directory,
        *,
        clock=None,
        busy_seconds=5.0,
        attempts=8,
        per_minute=120,
        burst=40,
        concurrent=50,
        **rules,
    ):
        self.directory = directory
        self.database = Database(directory / "state.sqlite3", busy_seconds=busy_seconds)
        self.slots = Slots(directory / "slots")
        token_file = directory / "relay-token"
        self.tokens = DeviceTokens(main_path=token_file, named_path=directory / "tokens.json")
        if self.tokens.show() is None:
            token_file.write_text(f"{TOKEN}\n")
        self.gates = {"open": threading.Event()}
        app = self.app = Flask("relay", static_folder=None)
        app.config["PROPAGATE_EXCEPTIONS"] = False
        steady, rule = clock or SteadyClock(self.database), LockoutRule(max_attempts=attempts)
        limiter, storage = attach_limiter(app, database=self.database, clock=steady)
        self.lockouts = Lockouts(self.database, clock=steady, rule=rule)
        self.limits = AddressLimits(
            LeasedTokenBucket(storage, burst=burst),
            self.slots,
            per_minute=per_minute,
            concurrent=concurrent,
        )
        gate = CredentialGate(self.tokens.identify, limiter, self.lockouts, rule)
        self.admission = Admission(AdmissionRules(**rules), gate=gate, limits=self.limits)
        self.admission.install(app)
        routes_of(app, self.gates)
        self.client = app.test_client()

    def get(self, path="/v1/models", *, token=None, peer="127.0.0.1", method="GET", **headers):
        """Send one request from ``peer``; header names in keyword form."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            named["Authorization"] = f"Bearer {token}"
        response = self.client.open(
            path,
            method=method,
            headers=named,
            environ_overrides={"REMOTE_ADDR": peer},
            base_url="http://127.0.0.1:8080",
        )
        response.close()
        return response

    def statuses(self, times, **options):
        return [self.get(**options).status_code for _ in range(times)]

    def close(self):
        self.database.close()
        self.slots.close()


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = False
    request_queue_size = 128


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_args):
        """Say nothing."""


@contextmanager
def listening(app):
    """Serve the app with a thread per connection; give the port."""
    server = _Server(("127.0.0.1", 0), _Quiet)
    server.set_app(app)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join(30)
        server.server_close()


def exchange(port, head, *, source="127.0.0.1"):
    """Send the bytes of one request and return status, headers and body of the answer."""
    with socket.create_connection(("127.0.0.1", port), 60, source_address=(source, 0)) as sock:
        sock.sendall(head)
        received = b"".join(iter(lambda: sock.recv(65536), b""))
    top, _, body = received.partition(b"\r\n\r\n")
    lines = top.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    return int(lines[0].split(" ")[1]), headers, body


def ask(port, path="/v1/models", *, source="127.0.0.1", headers=()):
    """GET over a fresh connection."""
    fields = [b"Host: 127.0.0.1:%d" % port, *headers]
    head = b"GET %s HTTP/1.0\r\n%s\r\n\r\n" % (path.encode(), b"\r\n".join(fields))
    return exchange(port, head, source=source)


def bearer(token):
    raw = token if isinstance(token, bytes) else token.encode()
    return b"Authorization: Bearer " + raw


def error_code(body):
    return json.loads(body)["error"]["code"]
