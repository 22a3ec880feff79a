"""The worker: gunicorn's thread worker, without the ways in which a client can hold its threads.

The differences from gunicorn's own, each with a test:

* A connection gets a thread when its request head is complete (see :mod:`.lobby`), not before.
* A worker stops accepting while all its threads are busy, so that its siblings take over, and
  gives way to them for a moment after each connection that it has taken.
* Nothing in the main loop blocks: not a slow client, not a full table of descriptors.
* When it ends it closes the listening sockets first, lets answers finish, and breaks off what is
  left at its deadline so that the application can clean up.
"""

import logging
import selectors
import signal
import socket
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from gunicorn.http import wsgi
from gunicorn.workers.gthread import ThreadWorker

from airelays_app import takeover
from airelays_app.errors import ClientGone
from airelays_app.ids import fresh_id
from airelays_app.server.connection import Connection
from airelays_app.server.garbage import spare_program
from airelays_app.server.lobby import Lobby
from airelays_app.server.logs import LOG, note, note_failure
from airelays_app.server.options import ServerOptions
from airelays_app.server.pace import Pace
from airelays_app.server.refusals import FAILED, refusal_of, reply_of
from airelays_app.server.threads import Threads
from airelays_app.takeover import Conversation

_BEAT_SECONDS = 1.0
_ACCEPT_PAUSE_SECONDS = 0.5
_UNWIND_SECONDS = 3.0
_THREADS_PER_SPARE = 4
_FEWEST_SPARE = 4


class RelayWorker(ThreadWorker):  # type: ignore[misc]
    """Serve requests in threads; the module says how it differs from its parent.

    With plain ``gunicorn`` (``worker_class``) threads, keep-alive and drain time are gunicorn's
    settings, and the other deadlines are the defaults of :class:`ServerOptions`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.alive: bool = True
        self.options: ServerOptions = getattr(self.app, "options", None) or _options_of(self.cfg)
        self._busy: set[Connection] = set()
        self._lobby: Lobby
        self._next_beat = 0.0
        self._pace = Pace(has_siblings=self.options.workers > 1)
        self._at_once = False

    def get_thread_pool(self) -> Threads[Connection]:
        """Return a few threads more than this worker accepts connections for.

        They serve what was let in before its request had arrived, or was kept open.
        """
        threads = self.options.threads
        spare = max(_FEWEST_SPARE, threads // _THREADS_PER_SPARE)
        return Threads(self._serve, most=threads + spare)

    def init_signals(self) -> None:
        """Leave SIGINT and SIGHUP to the master: a terminal sends them to the whole group."""
        super().init_signals()
        signal.signal(signal.SIGINT, self._leave_to_master)
        signal.signal(signal.SIGHUP, self._leave_to_master)

    def _leave_to_master(self, _sig: int, _frame: FrameType | None) -> None:
        """Do nothing (unlike SIG_IGN, this is not inherited by programs that are started)."""

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        """SIGQUIT: end without waiting for answers."""
        self._at_once = True
        self.handle_exit(sig, frame)

    def run(self) -> None:
        """Serve until told to end or orphaned, then drain."""
        spare_program()
        self._lobby = Lobby(self.poller, self.options, self._serve_in_thread)
        queue = self.method_queue
        self.poller.register(queue.fileno(), selectors.EVENT_READ, queue.run_callbacks)
        while self._is_wanted():
            now = time.monotonic()
            self._tune_accepting(now)
            self._turn(now)
        self.alive = False
        self._stop_listening()
        self._tell_application("retire")
        self._drain()
        self._break_off()
        self._tell_application("finish")

    def _is_wanted(self) -> bool:
        return self.alive and bool(self.is_parent_alive())

    def _turn(self, now: float) -> None:
        """One round of the main loop: beat, serve what has happened, end what is overdue.

        It waits no longer than a pause in accepting lasts, seen from the same ``now`` that tells
        :meth:`_tune_accepting` whether there is one.
        """
        if now >= self._next_beat:
            self._next_beat = now + _BEAT_SECONDS
            self.notify()
        self.wait_for_and_dispatch_events(timeout=self._pace.pause(now) or _BEAT_SECONDS)
        self._lobby.tick(time.monotonic())

    def _tune_accepting(self, now: float) -> None:
        full = self._is_full()
        if full:
            self._lobby.shed_idle()
        self.set_accept_enabled(not full and not self._pace.pause(now))

    def _is_full(self) -> bool:
        return len(self._busy) >= self.options.threads

    def accept(self, listener: socket.socket) -> None:
        """Take the next few connections, as far as there are threads for them."""
        taken = 0
        while taken < self._pace.share and not self._is_full() and self._accept_one(listener):
            taken += 1
        self._pace.note_taken(taken, time.monotonic())

    def _accept_one(self, listener: socket.socket) -> bool:
        """Take one connection; when that fails for want of something, pause instead of dying."""
        try:
            sock, client = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return False
        except OSError as error:
            note(logging.ERROR, "cannot accept connections for now", reason=error.strerror)
            self._pace.rest(_ACCEPT_PAUSE_SECONDS, time.monotonic())
            return False
        if len(self._busy) + len(self._lobby) >= self.worker_connections:
            self._lobby.make_room()
        self._lobby.welcome(Connection(sock, client, listener.getsockname(), self.options))
        return True

    def _serve_in_thread(self, conn: Connection) -> None:
        self._busy.add(conn)
        try:
            self.tpool.run(conn, running=len(self._busy))
        except RuntimeError:
            # The job is queued nevertheless: a thread that exists will come to it.
            LOG.error("cannot start another thread; raise the limit of tasks")

    def _serve(self, conn: Connection) -> None:
        reusable = False
        try:
            reusable = self.handle(conn)
        finally:
            self.method_queue.defer(self._after, conn, reusable)

    def _after(self, conn: Connection, reusable: bool) -> None:  # noqa: FBT001
        self._busy.discard(conn)
        if conn.is_closed:
            return
        if reusable:
            self._lobby.keep(conn)
        else:
            self._lobby.see_off(conn)

    def handle(self, conn: Connection) -> bool:
        """Serve one request in a thread; true when the connection can carry another."""
        try:
            request = conn.parse(self.cfg)
            return self.handle_request(request, conn) and conn.is_reusable()
        except ClientGone:
            return False
        except Exception as error:
            self._answer_failure(conn, error)
            return False

    def handle_request(self, req: Any, conn: Connection) -> bool:
        """Run the application; its iterator is closed whatever happens to the client."""
        response, environ = wsgi.create(req, conn.sock, conn.client, conn.server, self.cfg)
        environ["wsgi.multithread"] = True
        taken_over: list[Conversation] = []
        environ[takeover.KEY] = taken_over.append
        conn.response = response
        if not self.alive or not self.options.keepalive_seconds:
            response.force_close()
        parts = self.wsgi(environ, response.start_response)
        try:
            for converse in taken_over:
                response.headers_sent = True  # whatever fails from here on, no HTTP may follow
                converse(conn.sock)
                return False
            for part in parts:
                _send(response.write, part)
            _send(response.close)
        finally:
            close = getattr(parts, "close", None)
            if close is not None:
                close()
        return not response.should_close() and not _is_short(response)

    def _answer_failure(self, conn: Connection, error: Exception) -> None:
        refusal, request_id = refusal_of(error), fresh_id("req")
        if refusal is FAILED:
            note_failure("a request failed", error)
        else:
            status = refusal.status.value
            facts = {"id": request_id, "status": status, "cause": type(error).__name__}
            note(logging.INFO, "refused a request", **facts)
        conn.send_error(reply_of(refusal, request_id))

    def _stop_listening(self) -> None:
        """Close this worker's share of the listening sockets, so that no client waits in vain."""
        self.set_accept_enabled(False)
        for listener in self.sockets:
            listener.close()

    def _tell_application(self, what: str) -> Any:
        """Call the application's method ``what``, if it has it, and return what it says.

        ``retire`` tells it that this process takes no more requests, ``is_busy`` asks whether it
        still does something that no client waits for, ``finish`` tells it that the process is
        about to end: the last moment to write something down.
        """
        method = getattr(self.wsgi, what, None)
        return None if method is None else method()

    def _drain(self) -> None:
        self._lobby.hurry()
        deadline = time.monotonic() + self.options.drain_seconds
        while self._busy or len(self._lobby) or self._tell_application("is_busy"):
            if self._at_once or time.monotonic() >= deadline:
                return
            self._turn(time.monotonic())

    def _break_off(self) -> None:
        """Cut the connections still in use and let their threads unwind.

        The poller and its pipe stay open for threads that take longer; the process ends anyway.
        """
        self._lobby.close()
        for conn in self._busy:
            conn.cut()
        deadline = time.monotonic() + _UNWIND_SECONDS
        while self._busy and time.monotonic() < deadline:
            self._turn(time.monotonic())
        self._lobby.close()
        self.tpool.end()


def _send(send: Callable[..., None], *part: bytes) -> None:
    """Send, and say plainly when it is the client that is no longer there to receive."""
    try:
        send(*part)
    except OSError as error:
        raise ClientGone("the client left or stopped reading its answer") from error


def _is_short(response: Any) -> bool:
    """Whether fewer bytes were sent than the headers promised."""
    promised = response.response_length
    return promised is not None and response.sent < promised and not response._omits_body


def _options_of(cfg: Any) -> ServerOptions:
    """Options for a worker under gunicorn's own arbiter."""
    return ServerOptions(
        host="",
        port=0,
        workers=cfg.workers,
        threads=cfg.threads,
        drain_seconds=cfg.graceful_timeout,
        keepalive_seconds=cfg.keepalive,
    )
