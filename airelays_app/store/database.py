"""The relay's SQLite database: few connections, short transactions, honest failures.

Durability: the journal is WAL and ``synchronous`` is NORMAL, so a committed transaction survives
the death of any process, and a power cut may take the last moments. A transaction that a client
has been promised (an uploaded file, a conversation's turn) asks for ``durable=True`` and is on
the disk before it returns.

Permissions: SQLite gives ``-wal`` and ``-shm`` the mode of the database file, whatever the
umask, so creating that file as 0600 is enough. It is never opened other than through SQLite:
closing any descriptor of it would drop every POSIX lock that the process holds on it
(sqlite.org/howtocorrupt.html section 2.2, seen 2026-11-22).
"""

import os
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from airelays_app.store import faults
from airelays_app.store.connection_pool import ConnectionPool
from airelays_app.store.private_file import close_to_others, make_private_directory
from airelays_app.store.upgrade import upgrade

_WAL_KEPT_BYTES = 16 * 1024 * 1024
_MODE_RETRY_SECONDS = 0.02


class Database:
    """One database file, shared by threads and processes of one machine.

    Nothing is opened before the first use, and the tables are brought up to date then. After a
    fork the child opens its own connections; the inherited ones are neither used nor closed.
    At most ``max_connections`` are open per process, one of them for writing. Waiting for a
    connection and for another process's transaction takes at most ``busy_seconds``, then
    :class:`~airelays_app.errors.Unavailable` is raised, as for a full disk, a read-only or a
    damaged file.
    """

    def __init__(self, path: Path, *, busy_seconds: float = 5.0, max_connections: int = 8) -> None:
        if max_connections < 2:
            raise ValueError("max_connections must be at least 2")
        self._path = path
        self._busy_seconds = busy_seconds
        self._max_connections = max_connections
        self._pool_of_process: dict[int, ConnectionPool] = {}
        self._thread = threading.local()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection that sees one unchanging snapshot and refuses to write.

        Rows are :class:`sqlite3.Row`. Fetch what is needed and leave; do not nest.
        """
        with self._alone_in_thread(), faults.database_faults(), self._pool().reader() as reader:
            reader.execute("BEGIN")
            with _rolled_back_at_the_end(reader):
                yield reader

    @contextmanager
    def writing(self, *, durable: bool = False) -> Iterator[sqlite3.Connection]:
        """Lend the writing connection inside ``BEGIN IMMEDIATE``; commit unless the block raises.

        Keep it short, without network or large files: all writers of the machine wait. Do not
        nest. ``durable`` makes the commit wait until it would survive a power cut.
        """
        deadline = time.monotonic() + self._busy_seconds
        with self._alone_in_thread(), faults.database_faults(), self._pool().writer() as writer:
            left = max(0.0, deadline - time.monotonic())
            writer.execute(f"PRAGMA busy_timeout={int(left * 1000)}")
            writer.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
            writer.execute("BEGIN IMMEDIATE")
            with _rolled_back_at_the_end(writer):
                yield writer
                writer.execute("COMMIT")

    def close(self) -> None:
        """Close this process's connections; a later use opens new ones."""
        pool = self._pool_of_process.pop(os.getpid(), None)
        if pool is not None:
            pool.close()

    def _pool(self) -> ConnectionPool:
        process = os.getpid()
        pool = self._pool_of_process.get(process)
        if pool is not None:
            return pool
        fresh = ConnectionPool(
            prepare=self._prepare,
            connect=self._connect,
            readers=self._max_connections - 1,
            wait_seconds=self._busy_seconds,
        )
        return self._pool_of_process.setdefault(process, fresh)

    @contextmanager
    def _alone_in_thread(self) -> Iterator[None]:
        if getattr(self._thread, "holds_connection", False):
            raise RuntimeError("reading() and writing() must not be nested in one thread")
        self._thread.holds_connection = True
        try:
            yield
        finally:
            self._thread.holds_connection = False

    def _prepare(self) -> None:
        with faults.disk_faults():
            make_private_directory(self._path.parent)
            close_to_others(self._path.parent)
            _make_private_file(self._path)
        connection = self._connect(writes=True)
        try:
            self._use_write_ahead_log(connection)
            upgrade(connection)
        finally:
            connection.close()

    def _use_write_ahead_log(self, connection: sqlite3.Connection) -> None:
        """Switch the journal; SQLite does not call its busy handler for this, so wait here."""
        deadline = time.monotonic() + self._busy_seconds
        while True:
            try:
                connection.execute("PRAGMA journal_mode=WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(_MODE_RETRY_SECONDS)
            else:
                return

    def _connect(self, writes: bool) -> sqlite3.Connection:  # noqa: FBT001 - the pool's callback
        connection = sqlite3.connect(
            self._path, timeout=self._busy_seconds, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        try:
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute("PRAGMA temp_store=MEMORY")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute(f"PRAGMA journal_size_limit={_WAL_KEPT_BYTES}")
            connection.execute(f"PRAGMA query_only={'OFF' if writes else 'ON'}")
        except sqlite3.Error:
            connection.close()
            raise
        return connection


@contextmanager
def _rolled_back_at_the_end(connection: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _make_private_file(path: Path) -> None:
    with suppress(FileExistsError):  # another process, or an earlier start, made it
        os.mknod(path, 0o600 | stat.S_IFREG)
    for name in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        with suppress(FileNotFoundError):  # the journal exists only while the database is open
            name.chmod(0o600)
