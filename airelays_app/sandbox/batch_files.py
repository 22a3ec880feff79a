"""What the stand-ins have in common whose batches are files of lines."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from airelays_app.sandbox.batching import SandboxBatch
from airelays_app.sandbox.exchange import Answer, json_answer
from airelays_app.sandbox.routing import Visit

Line = Callable[[str, Answer], bytes]
"""Makes the line of a result from the client's id and the answer."""


@dataclass(frozen=True, slots=True)
class BatchFiles:
    """The files below ``place``; ``new_id`` makes their ids."""

    place: str
    new_id: Callable[[], str]
    _contents: dict[str, bytes] = field(default_factory=dict)

    def store(self, content: bytes) -> str:
        """Keep a file; return its id."""
        id_ = self.new_id()
        self._contents[id_] = content
        return id_

    def stored(self, name: str, content: bytes, purpose: str) -> dict[str, Any]:
        """Keep a file that was sent; return what all of them show of one."""
        return {
            "id": self.store(content),
            "object": "file",
            "bytes": len(content),
            "created_at": int(time.time()),
            "filename": name,
            "purpose": purpose,
        }

    def read(self, id_: object) -> bytes | None:
        """Return what a file holds."""
        return self._contents.get(str(id_))

    def download(self, visit: Visit) -> Answer | None:
        """Answer with the content that was asked for; None if it is not there."""
        id_, _, what = visit.request.path.removeprefix(self.place).partition("/")
        content = self._contents.get(id_)
        if content is None or what != "content" or visit.request.method != "GET":
            return None
        return Answer(200, content, content_type="application/octet-stream")

    def store_results(self, batch: SandboxBatch, line: Line, *rest: bytes) -> list[str | None]:
        """Keep the results of a batch that has ended, and the ``rest`` with what went wrong.

        Returns the ids of the files with good and with bad results; an empty one is none.
        """
        good = [line(*each) for each in batch.done if each[1].status < 300]
        bad = [line(*each) for each in batch.done if each[1].status >= 300]
        if batch.fate == "holed":
            good += [b"{broken\n", line("a-stranger", json_answer(200, {}))]
        return [self.store(b"".join(lines)) if lines else None for lines in (good, [*bad, *rest])]
