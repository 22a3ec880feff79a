"""What has to be tidied up now and then: what crashes and deletions have left behind."""

import time
from collections.abc import Callable, Sequence

from airelays_app.services.chores import Keep

_FIRST_AFTER_SECONDS = 60.0
_EVERY_SECONDS = 3600.0


class Housekeeping:
    """A chore that does each of ``tasks`` once an hour."""

    def __init__(
        self,
        tasks: Sequence[Callable[[], object]],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tasks = tasks
        self._clock = clock
        self._due_at = clock() + _FIRST_AFTER_SECONDS

    def is_due(self) -> bool:
        """Tell whether an hour has passed."""
        return self._clock() >= self._due_at

    def run(self, keep: Keep) -> None:
        """Do the tasks, as long as this process has the work."""
        self._due_at = self._clock() + _EVERY_SECONDS
        for task in self._tasks:
            if keep():
                task()
