"""Running requests per client address, over all workers: a small file mapped into each of them.

Every worker has one row in the file and is the only one that writes it: its process id and start
time, and for each running request the eight-byte mark of the client's address. To admit a
request a worker first writes the mark, then counts it in all rows, and takes it back if that is
too many; so the cap is never exceeded, though two workers that reach for the last place at the
same instant may both be refused. Nothing else is locked between processes.

The row of a worker that was killed keeps its marks. They are noticed when they would cause a
refusal: then the owners of the rows are looked at, and the rows of dead ones are emptied.

The file's space is allocated before it is mapped, because writing to a mapped hole on a full disk
would kill the worker. Where that fails each worker counts its own requests only.
"""

import fcntl
import hashlib
import heapq
import logging
import mmap
import os
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from airelays_app.errors import Unavailable
from airelays_app.store.private_file import make_private_directory, open_private
from airelays_app.store.process_identity import boot_id

_MAGIC = b"AIRSLOT1"
_ROWS = 64
_PLACES = 2048
_MARK_BYTES = 8
_HEADER = struct.Struct("<8s16s")
_OWNER = struct.Struct("<QQQ")
_USED_END = struct.Struct("<Q")
_OWNERS_AT = 64
_MARKS_AT = 4096
_ROW_BYTES = _PLACES * _MARK_BYTES
_FILE_BYTES = _MARKS_AT + _ROWS * _ROW_BYTES
_NO_MARK = bytes(_MARK_BYTES)
_STAT_STATE = 0
_STAT_START_TIME = 19

_log = logging.getLogger(__name__)

_Owner = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of one running request; give it to :meth:`Slots.release` once it has ended."""

    row: "_OwnRow"
    place: int


@dataclass(slots=True)
class _OwnRow:
    pid: int
    index: int
    free: list[int]
    used_end: int = 0


class Slots:
    """Counts running requests per address in the file ``path``, which is made when missing.

    Thread-safe, and safe to inherit over a fork: each process takes a row of its own at its first
    request. Raises Unavailable when all 64 rows, or this worker's 2,048 places, are taken.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._map: mmap.mmap | None = None
        self._is_shared = False
        self._own: _OwnRow | None = None

    def acquire(self, address: str, *, limit: int) -> Slot | None:
        """Take a place for a request of ``address``, or return None when ``limit`` are running."""
        mark = _mark(address)
        with self._lock:
            own = self._own_row()
            slot = self._write(own, mark)
            if self._count(mark) <= limit:
                return slot
            self._reclaim()
            if self._count(mark) <= limit:
                return slot
            self._erase(slot)
            return None

    def release(self, slot: Slot) -> None:
        """Free the place; releasing one twice is an error of the caller."""
        with self._lock:
            if slot.row is self._own and slot.row.pid == os.getpid():
                self._erase(slot)

    def count(self, address: str) -> int:
        """Return how many requests of ``address`` are running, dead workers left out."""
        with self._lock:
            self._reclaim()
            return self._count(_mark(address))

    def active_addresses(self) -> int:
        """Return of how many addresses requests are running."""
        with self._lock:
            self._reclaim()
            marks: Counter[bytes] = Counter()
            for start, end in self._used_ranges():
                row = self._mapped()[start:end]
                marks.update(row[at : at + _MARK_BYTES] for at in range(0, len(row), _MARK_BYTES))
        del marks[_NO_MARK]
        return len(marks)

    def close(self) -> None:
        """Give this process's row back and unmap the file."""
        with self._lock:
            mapped, own = self._map, self._own
            if mapped is None:
                return
            if own is not None and own.pid == os.getpid():
                with self._rows_locked():
                    _clear_row(mapped, own.index)
            self._map, self._own = None, None
            mapped.close()

    def _write(self, own: _OwnRow, mark: bytes) -> Slot:
        if not own.free:
            raise Unavailable("This worker has no place for another request.", retry_after=1)
        place = heapq.heappop(own.free)
        mapped = self._mapped()
        start = _row_start(own.index) + place * _MARK_BYTES
        mapped[start : start + _MARK_BYTES] = mark
        if place >= own.used_end:
            _set_used_end(mapped, own, place + 1)
        return Slot(own, place)

    def _erase(self, slot: Slot) -> None:
        own = slot.row
        start = _row_start(own.index) + slot.place * _MARK_BYTES
        self._mapped()[start : start + _MARK_BYTES] = _NO_MARK
        heapq.heappush(own.free, slot.place)
        if len(own.free) == _PLACES:
            _set_used_end(self._mapped(), own, 0)

    def _count(self, mark: bytes) -> int:
        mapped = self._mapped()
        return sum(mapped[start:end].count(mark) for start, end in self._used_ranges())

    def _used_ranges(self) -> Iterator[tuple[int, int]]:
        for index, (pid, _, used_end) in enumerate(_owners(self._mapped())):
            if pid and used_end:
                start = _row_start(index)
                yield start, start + min(used_end, _PLACES) * _MARK_BYTES

    def _own_row(self) -> _OwnRow:
        own = self._own
        if own is not None and own.pid == os.getpid():
            return own
        mapped, pid = self._mapped(), os.getpid()
        with self._rows_locked():
            _clear_dead_rows(mapped)
            free = (index for index, (owner, _, _) in enumerate(_owners(mapped)) if not owner)
            index = next(free, None)
            if index is None:
                raise Unavailable("Too many workers are running.", retry_after=1)
            _OWNER.pack_into(mapped, _owner_at(index), pid, _start_time(pid) or 0, 0)
        self._own = _OwnRow(pid, index, list(range(_PLACES)))
        return self._own

    def _reclaim(self) -> None:
        mapped = self._mapped()
        if any(_is_dead(owner) for owner in _owners(mapped)):
            with self._rows_locked():
                _clear_dead_rows(mapped)

    def _rows_locked(self) -> AbstractContextManager[object]:
        """Keep other processes from giving out or taking back rows."""
        return _locked(self._path) if self._is_shared else nullcontext()

    def _mapped(self) -> mmap.mmap:
        if self._map is None:
            try:
                self._map, self._is_shared = _map_file(self._path), True
            except OSError as error:
                _log.warning("running requests are counted per worker: %s", error.strerror)
                self._map, self._is_shared = mmap.mmap(-1, _FILE_BYTES), False
        return self._map


def _map_file(path: Path) -> mmap.mmap:
    make_private_directory(path.parent)
    with _locked(path) as descriptor:
        os.posix_fallocate(descriptor, 0, _FILE_BYTES)
        mapped = mmap.mmap(descriptor, _FILE_BYTES)
        _start_anew_after_boot(mapped)
    return mapped


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """Hold the file's lock. It is opened anew each time, since a fork shares the lock of an open
    one, and unlocked explicitly, since a mapping made meanwhile keeps the file open.
    """
    descriptor = open_private(path, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def _start_anew_after_boot(mapped: mmap.mmap) -> None:
    boot = hashlib.blake2b(boot_id().encode(), digest_size=16).digest()
    if _HEADER.unpack_from(mapped) == (_MAGIC, boot):
        return
    for index in range(_ROWS):
        _clear_row(mapped, index)
    _HEADER.pack_into(mapped, 0, _MAGIC, boot)


def _mark(address: str) -> bytes:
    return hashlib.blake2b(address.encode(), digest_size=_MARK_BYTES).digest()


def _row_start(index: int) -> int:
    return _MARKS_AT + index * _ROW_BYTES


def _owner_at(index: int) -> int:
    return _OWNERS_AT + index * _OWNER.size


def _owners(mapped: mmap.mmap) -> Iterator[_Owner]:
    rows = mapped[_OWNERS_AT : _owner_at(_ROWS)]
    return cast(Iterator[_Owner], _OWNER.iter_unpack(rows))


def _set_used_end(mapped: mmap.mmap, own: _OwnRow, used_end: int) -> None:
    own.used_end = used_end
    _USED_END.pack_into(mapped, _owner_at(own.index) + _OWNER.size - _USED_END.size, used_end)


def _clear_dead_rows(mapped: mmap.mmap) -> None:
    for index, owner in enumerate(_owners(mapped)):
        if _is_dead(owner):
            _clear_row(mapped, index)


def _clear_row(mapped: mmap.mmap, index: int) -> None:
    _OWNER.pack_into(mapped, _owner_at(index), 0, 0, 0)
    start = _row_start(index)
    mapped[start : start + _ROW_BYTES] = bytes(_ROW_BYTES)


def _is_dead(owner: _Owner) -> bool:
    pid, started, _ = owner
    return pid != 0 and _start_time(pid) != started


def _start_time(pid: int) -> int | None:
    """Return when a process started, in clock ticks since boot; None for a dead or zombie one.

    The fields after the command name are those of proc(5), whatever the name contains.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    fields = stat[stat.rindex(b")") + 2 :].split()
    return None if fields[_STAT_STATE] in (b"Z", b"X") else int(fields[_STAT_START_TIME])
