"""Files of a batch's results: what went well in one, the rest in another, a line for each."""

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain

from airelays_app.dialects.base import Json
from airelays_app.errors import NotFound, TooLarge
from airelays_app.framing.jsontext import dumps
from airelays_app.services.chores import Keep
from airelays_app.store.batch_work import OpenBatch
from airelays_app.store.batches import BatchResult, BatchStore
from airelays_app.store.files import FileStore

_log = logging.getLogger("airelays.batches")

_RESULTS_BETWEEN_KEEPS = 1000


@dataclass(frozen=True, slots=True)
class Unrun:
    """What becomes of the requests that are never run: their result, and what a file says."""

    response: Json
    code: str
    message: str


class ResultFiles:
    """Writes the files."""

    def __init__(self, store: BatchStore, files: FileStore) -> None:
        self._store = store
        self._files = files

    def write_outputs(self, batch: OpenBatch, keep: Keep) -> str | None:
        """Return the id of the file of what went well; None if nothing did.

        There is no file either when the uploads have no room for it; the results themselves are
        kept. Raises Unavailable.
        """
        results = self._results(batch, keep, lambda status: status < 300)
        return self._written(batch, "output", map(line, results))

    def write_errors(self, batch: OpenBatch, keep: Keep, *, unrun: Unrun | None) -> str | None:
        """Return the id of the file of the rest, as above."""
        results = self._results(batch, keep, lambda status: status >= 300)
        lines = (line(each, unrun) for each in results)
        return self._written(batch, "error", lines)

    def discard(self, batch: OpenBatch, *file_ids: str | None) -> None:
        """Remove files that no batch names."""
        for file_id in filter(None, file_ids):
            with suppress(NotFound):
                self._files.delete(file_id, owner=batch.owner)

    def _results(
        self, batch: OpenBatch, keep: Keep, belongs: Callable[[int], bool]
    ) -> Iterator[BatchResult]:
        """Yield some of the results; many take so long that the work has to be kept meanwhile."""
        for count, result in enumerate(self._store.results(batch.id)):
            if count % _RESULTS_BETWEEN_KEEPS == 0:
                keep()
            if belongs(result.status):
                yield result

    def _written(self, batch: OpenBatch, kind: str, lines: Iterator[bytes]) -> str | None:
        first = next(lines, None)
        if first is None:
            return None
        filename = f"{batch.id}_{kind}.jsonl"
        self._files.delete_named(filename, owner=batch.owner)  # of a process that was killed
        try:
            stored = self._files.create(
                LineStream(chain([first], lines)),
                filename=filename,
                purpose="batch_output",
                content_type="application/jsonl",
                owner=batch.owner,
                is_upload=False,
            )
        except TooLarge as error:
            _log.warning("batch %s has no file of its %s lines: %s", batch.id, kind, error.message)
            return None
        return stored.id


class LineStream:
    """Lines as a stream of bytes; each is made when it is read."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines

    def read(self, size: int, /) -> bytes:
        """Return the next lines, ``size`` bytes or a line more; none at the end."""
        gathered = bytearray()
        while len(gathered) < size and (found := next(self._lines, b"")):
            gathered += found
        return bytes(gathered)


def line(result: BatchResult, unrun: Unrun | None = None) -> bytes:
    """Return a result as a line of a file (OpenAI's form and codes, seen 2026-11-25).

    A request that was never run has no response but an error.
    """
    id_ = f"batch_req_{result.position}"
    response: Json | None = {
        "status_code": result.status,
        "request_id": id_,
        "body": result.response,
    }
    error = None
    if unrun and result.response == unrun.response:
        response, error = None, {"code": unrun.code, "message": unrun.message}
    whole = {"id": id_, "custom_id": result.custom_id, "response": response, "error": error}
    return dumps(whole) + b"\n"
