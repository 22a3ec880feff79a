"""What the tests of limits share: a database in a directory and a clock that is turned by hand."""

from contextlib import contextmanager

from flask import Flask
from flask_limiter import Limiter

from airelays_app.store.database import Database
from airelays_app.store.limit_storage import SCHEME


class HandClock:
    """Seconds that pass only when told to."""

    def __init__(self, now=1_000_000.0):
        self.now = now

    def __call__(self):
        return self.now

    def pass_seconds(self, seconds):
        self.now += seconds


@contextmanager
def database_in(directory, *, busy_seconds=60.0):
    database = Database(directory / "state.sqlite3", busy_seconds=busy_seconds)
    try:
        yield database
    finally:
        database.close()


def flask_limiter_on(database, clock):
    """The real extension on our storage."""
    return Limiter(
        key_func=lambda: "unused",
        app=Flask("limits"),
        strategy="moving-window",
        storage_uri=f"{SCHEME}://",
        storage_options={"database": database, "clock": clock},
    )
