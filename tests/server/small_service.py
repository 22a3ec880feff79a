"""A service for the tests of the server: run as a program, its plan (JSON) named by TEST_PLAN.

The plan is read again on SIGHUP: ``options`` of the server, ``greeting`` of the application,
``load`` (``ok`` or a message to fail with) and ``boot`` (``ok``, ``fail`` or ``hang``). While
there is a file ``broken`` beside the plan, the application fails too.
The first line of its output lists the addresses.
"""

import json
import os
import sys
import time
from pathlib import Path

from airelays_app import takeover
from airelays_app.errors import ClientGone, ConfigError, RelayError
from airelays_app.server.lock import hold
from airelays_app.server.options import Plan, ServerOptions
from airelays_app.server.run import run


def make_app(plan):
    if plan.get("boot") == "fail" or Path(plan["notes"]).with_name("broken").exists():
        raise ConfigError("the test wants this application to fail")
    while plan.get("boot") == "hang":
        time.sleep(0.05)
    return SmallApp(plan)


class SmallApp:
    def __init__(self, plan):
        self.greeting = plan.get("greeting", "hello")
        self.notes = Path(plan["notes"])

    def __call__(self, environ, start_response):
        name = environ["PATH_INFO"].strip("/").replace("-", "_")
        return getattr(self, name)(environ, start_response)

    def note(self, text):
        with self.notes.open("a") as notes:
            notes.write(text + "\n")

    def pid(self, environ, start_response):
        return text(start_response, f"{os.getpid()} {self.greeting}")

    def environ(self, environ, start_response):
        facts = {
            "scheme": environ["wsgi.url_scheme"],
            "client": environ["REMOTE_ADDR"],
            "script": environ["SCRIPT_NAME"],
            "socket": environ["gunicorn.socket"].getpeername() is not None,
            "notify": sorted(set(os.environ) & {"NOTIFY_SOCKET", "LISTEN_FDS", "WATCHDOG_USEC"}),
        }
        return text(start_response, json.dumps(facts))

    def upload(self, environ, start_response):
        """Read the body in pieces; note which error the input raised."""
        total = 0
        try:
            while piece := environ["wsgi.input"].read(65536):
                total += len(piece)
        except (RelayError, ClientGone) as error:
            self.note(type(error).__name__)
            status = getattr(error, "status", 499)
            return text(start_response, type(error).__name__, f"{status} Refused")
        return text(start_response, str(total))

    def ignore_body(self, environ, start_response):
        return text(start_response, "not read", "401 Unauthorized")

    def careless_upload(self, environ, start_response):
        return text(start_response, str(len(environ["wsgi.input"].read())))

    def ticks(self, environ, start_response):
        """Stream a tick now and every tenth of a second, until ``?n`` are sent or for ever."""
        start_response("200 OK", [("Content-Type", "text/plain")])
        return self.ticking(int(environ["QUERY_STRING"] or 0))

    def ticking(self, wanted):
        self.note("opened")
        try:
            sent = 0
            while not wanted or sent < wanted:
                yield b"tick\n"
                sent += 1
                time.sleep(0.1)
        finally:
            self.note("closed")

    def flood(self, environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return self.flooding()

    def flooding(self):
        self.note("opened")
        try:
            while True:
                yield b"x" * 65536
        finally:
            self.note("closed")

    def short(self, environ, start_response):
        start_response("200 OK", [("Content-Length", "100")])
        return [b"less"]

    def break_off(self, environ, start_response):
        """Take the connection over, say something, and fail."""
        environ[takeover.KEY](self.breaking_off)
        return []

    def breaking_off(self, client):
        client.sendall(b"not HTTP")
        raise ValueError("planted-secret")

    def broken(self, environ, start_response):
        raise ValueError("planted-secret")


def text(start_response, body, status="200 OK"):
    start_response(status, [("Content-Length", str(len(body))), ("Content-Type", "text/plain")])
    return [body.encode()]


def main():
    path = Path(os.environ["TEST_PLAN"])

    def load():
        plan = json.loads(path.read_text())
        if plan.get("load", "ok") != "ok":
            raise ConfigError(plan["load"])
        options = dict(plan["options"])
        if "pid_file" in options:
            options["pid_file"] = Path(options["pid_file"])
        return Plan(
            options=ServerOptions(**options),
            make_app=lambda: make_app(plan),
        )

    def listening(addresses):
        print(json.dumps(addresses), flush=True)

    with hold(path.parent / "data"):
        sys.exit(run(load, on_listening=listening))


if __name__ == "__main__":
    main()
