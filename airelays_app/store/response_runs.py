"""Replies that are made while nobody waits: which process makes each, and the events so far.

A run is held by a process and ends with it, like a lease (see :mod:`.leases`). Whoever ends a run
removes its row; what the process still writes of it afterwards is left out.
"""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from airelays_app.store.batch_writer import BatchWriter, Pending
from airelays_app.store.database import Database
from airelays_app.store.leases import LEASE_SECONDS, is_free
from airelays_app.store.process_identity import own_identity
from airelays_app.store.responses import NewResponse, add_items, insert
from airelays_app.store.steady_clock import seconds_since_boot

RunState = Literal["running", "lost", "over"]
"""``lost``: nobody makes the reply any more, and nobody has ended the run yet."""

_MOST_EVENTS = 500
"""How many events are read at once."""


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """One event of a stream, as its client gets it."""

    sequence: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run has ended."""

    status: str
    response_json: bytes
    events: Sequence[LoggedEvent] = ()
    item_ids: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Some events; ``is_last`` says that there are no more by now."""

    events: tuple[LoggedEvent, ...]
    is_last: bool
    state: RunState


End = Callable[[bytes, int], Ended]
"""Makes the end of a run from the kept response and the number of the next event."""


class ResponseRuns:
    """All runs of one database, safe for many threads and processes."""

    def __init__(self, database: Database, writer: BatchWriter) -> None:
        self._database = database
        self._writer = writer

    def begin(self, new: NewResponse, events: Sequence[LoggedEvent]) -> int:
        """Write down a reply that this process is going to make; return its number.

        Its events are kept if there are some to begin with.
        """
        with self._database.writing(durable=True) as connection:
            number = insert(connection, new)
            connection.execute(
                "INSERT OR REPLACE INTO response_runs VALUES (?, ?, ?)",
                [number, own_identity(), seconds_since_boot() + LEASE_SECONDS],
            )
            _log(connection, number, events)
        return number

    def note(self, number: int, events: Sequence[LoggedEvent]) -> Pending:
        """Queue the next events of a run, and that it has begun."""

        def write(connection: sqlite3.Connection) -> None:
            if _is_running(connection, number):
                connection.execute(
                    "UPDATE responses SET status = 'in_progress' WHERE number = ?", [number]
                )
                _log(connection, number, events)

        return self._writer.submit(write, size=sum(len(event.data) for event in events))

    def finish(self, number: int, ended: Ended) -> Pending:
        """Queue the end of a run, behind its events; wait for it."""

        def write(connection: sqlite3.Connection) -> None:
            if _is_running(connection, number):
                _end(connection, number, ended)

        return self._writer.submit(write, size=len(ended.response_json), durable=True)

    def end(self, number: int, end: End, *, only_if_lost: bool) -> bool:
        """End a run from outside; false if it has ended, or is not lost and only then to end."""
        with self._database.writing(durable=True) as connection:
            run = connection.execute(
                "SELECT * FROM response_runs WHERE response = ?", [number]
            ).fetchone()
            if _state(run) == "over" or (only_if_lost and _state(run) != "lost"):
                return False
            row = connection.execute(
                "SELECT response_json FROM responses WHERE number = ?", [number]
            ).fetchone()
            _end(connection, number, end(row["response_json"], _next_sequence(connection, number)))
        return True

    def held(self) -> set[int]:
        """Return the numbers of the runs that this process holds."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT response FROM response_runs WHERE holder = ?", [own_identity()]
            )
            return {row["response"] for row in rows}

    def renew(self) -> None:
        """Hold the runs of this process for another while."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE response_runs SET expires_at = ? WHERE holder = ?",
                [seconds_since_boot() + LEASE_SECONDS, own_identity()],
            )

    def state(self, number: int) -> RunState:
        """Tell how it stands with a run."""
        with self._database.reading() as connection:
            run = connection.execute(
                "SELECT * FROM response_runs WHERE response = ?", [number]
            ).fetchone()
        return _state(run)

    def has_events(self, number: int) -> bool:
        """Tell whether the events of a reply are kept."""
        with self._database.reading() as connection:
            return _has_events(connection, number)

    def excerpt(self, number: int, *, after: int) -> Excerpt:
        """Return the next events behind the sequence number ``after``, as far as they are there."""
        with self._database.reading() as connection:
            rows = connection.execute(
                """
                SELECT sequence, data FROM response_events
                WHERE response = ? AND sequence > ? ORDER BY sequence LIMIT ?
                """,
                [number, after, _MOST_EVENTS],
            ).fetchall()
            run = connection.execute(
                "SELECT * FROM response_runs WHERE response = ?", [number]
            ).fetchone()
        return Excerpt(
            events=tuple(LoggedEvent(row["sequence"], row["data"]) for row in rows),
            is_last=len(rows) < _MOST_EVENTS,
            state=_state(run),
        )


def _state(run: sqlite3.Row | None) -> RunState:
    if run is None:
        return "over"
    return "lost" if is_free(run, seconds_since_boot()) else "running"


def _is_running(connection: sqlite3.Connection, number: int) -> bool:
    row = connection.execute("SELECT 1 FROM response_runs WHERE response = ?", [number])
    return row.fetchone() is not None


def _has_events(connection: sqlite3.Connection, number: int) -> bool:
    row = connection.execute("SELECT 1 FROM response_events WHERE response = ? LIMIT 1", [number])
    return row.fetchone() is not None


def _next_sequence(connection: sqlite3.Connection, number: int) -> int:
    row = connection.execute(
        "SELECT COALESCE(MAX(sequence) + 1, 0) FROM response_events WHERE response = ?", [number]
    ).fetchone()
    return int(row[0])


def _log(connection: sqlite3.Connection, number: int, events: Sequence[LoggedEvent]) -> None:
    connection.executemany(
        "INSERT INTO response_events VALUES (?, ?, ?)",
        [(number, event.sequence, event.data) for event in events],
    )


def _end(connection: sqlite3.Connection, number: int, ended: Ended) -> None:
    if _has_events(connection, number):
        _log(connection, number, ended.events)
    connection.execute("DELETE FROM response_runs WHERE response = ?", [number])
    connection.execute(
        """
        UPDATE responses SET status = :status, response_json = :response,
        bytes = LENGTH(input_json) + LENGTH(:response) + (
            SELECT TOTAL(LENGTH(data)) FROM response_events WHERE response = :number
        )
        WHERE number = :number
        """,
        {"status": ended.status, "response": ended.response_json, "number": number},
    )
    add_items(connection, number, ended.item_ids)
