"""An application with the status routes, on a data folder and providers of the test's own."""

from contextlib import contextmanager
from types import SimpleNamespace

from flask import Flask, g

from airelays_app.config import load_settings
from airelays_app.errors import Unavailable
from airelays_app.services.record import Record
from airelays_app.services.status import RelayStatus
from airelays_app.store.conversations import ConversationStore
from airelays_app.store.database import Database
from airelays_app.store.files import FileStore
from airelays_app.store.limit_storage import SqliteLimitStorage
from airelays_app.store.lockouts import LockoutRule, Lockouts
from airelays_app.store.rate_leases import LeasedTokenBucket
from airelays_app.store.slots import Slots
from airelays_app.store.steady_clock import SteadyClock
from airelays_app.store.tokens import DeviceTokens
from airelays_app.web import errors, home, status
from airelays_app.web.address import ClientAddress
from airelays_app.web.context import EXTENSION
from airelays_app.web.limits import AddressLimits

TOKEN = "planted-relay-token-0123456789"
SECRETS = (TOKEN, "planted-api-key-0123456789")


class FakeProvider:
    """A provider with the status that a test gives it."""

    def __init__(self, kind, **state):
        self.kind = kind
        self.state = state

    def status(self):
        return self.state


READY_LOGIN = {
    "ready": True,
    "problem": None,
    "authenticated": True,
    "credentials_present": True,
    "account_bound": True,
    "ready_for_requests": True,
    "renewable": True,
    "email": "owner@example.org",
    "plan_type": "plus",
    "account_id": "acct-1",
    "bound_account_id": "acct-1",
    "last_refresh": "2026-11-22T00:00:00+00:00",
    "expires_at": None,
}
NO_LOGIN = {
    **dict.fromkeys(READY_LOGIN),
    "ready": False,
    "problem": "missing",
    "ready_for_requests": False,
}


class FakeSubscription:
    """Remembers how it was asked."""

    def usage(self):
        shown = {"object": "subscription_status"}
        return SimpleNamespace(shown=lambda *, raw: {**shown, "raw": {"a": 1}} if raw else shown)


class Switches:
    """What a test may break."""

    storage_down = False
    limiter_down = False


class BreakableDatabase(Database):
    """A database that can be out of order."""

    switches = Switches()

    def reading(self):
        self._require_order()
        return super().reading()

    def writing(self, *, durable=False):
        self._require_order()
        return super().writing(durable=durable)

    def _require_order(self):
        if self.switches.storage_down:
            raise Unavailable("The database is out of order.")


@contextmanager
def status_app(home_folder, providers, *, token=TOKEN, **environ):
    """Yield the app and the switches that break parts of it."""
    settings = load_settings(environ={"HOME": str(home_folder), **environ})
    data_dir = settings.paths.data_dir
    data_dir.mkdir(parents=True, mode=0o700)
    database = BreakableDatabase(data_dir / "state.sqlite3")
    database.switches = Switches()
    tokens = DeviceTokens(
        main_path=settings.security.bearer_token_file, named_path=data_dir / "tokens.json"
    )
    if token:
        settings.security.bearer_token_file.write_text(f"{token}\n")
    limits, lockouts = _limits(database, data_dir)
    files = FileStore(database, data_dir / "uploads", max_file_bytes=1000, max_total_bytes=10_000)
    relay_status = RelayStatus(
        settings,
        providers=providers,
        tokens=tokens,
        database=database,
        files=files,
        conversations=ConversationStore(database),
        limiter_answers=lambda: not database.switches.limiter_down,
        login_file=data_dir / "auth.json",
    )
    services = SimpleNamespace(
        settings=settings,
        status=relay_status,
        subscription=FakeSubscription(),
        limits=limits,
        lockouts=lockouts,
    )
    try:
        yield _app(services), database.switches
    finally:
        limits.slots.close()
        database.close()


def _limits(database, data_dir):
    clock = SteadyClock(database)
    storage = SqliteLimitStorage("", database=database, clock=clock)
    limits = AddressLimits(
        rates=LeasedTokenBucket(storage, burst=40),
        slots=Slots(data_dir / "slots"),
        per_minute=120,
        concurrent=50,
    )
    return limits, Lockouts(database, clock=clock, rule=LockoutRule())


def _app(services):
    app = Flask("airelays_app.web", static_folder=None)
    app.extensions[EXTENSION] = services
    errors.install(app)

    def note_request():
        g.record = Record("req_1")
        g.client_address = ClientAddress("192.168.1.9", "192.168.1.9")

    app.before_request(note_request)
    for module in (status, home):
        app.register_blueprint(module.blueprint)
    return app
