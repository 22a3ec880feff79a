"""When a worker takes new connections, and how many: it shares them with its siblings."""

_GIVE_WAY_SECONDS = 0.001
_LARGEST_SHARE = 64


class Pace:
    """The pace of one worker; ``now`` is in monotonic seconds.

    All workers wait for the same connections. If each took what there is, the first that is awake
    would take a whole burst, and one interpreter would serve what two could. So a worker takes one
    and gives way for a moment. For what is still there afterwards its siblings have no time: of
    that it takes one more each time.
    """

    def __init__(self, *, has_siblings: bool) -> None:
        self._give_way_seconds = _GIVE_WAY_SECONDS if has_siblings else 0.0
        self._resume_at = 0.0
        self.share = 1

    def pause(self, now: float) -> float:
        """Return for how many seconds no connection is to be taken; 0 when one may be."""
        return max(0.0, self._resume_at - now)

    def note_taken(self, count: int, now: float) -> None:
        """Give way after ``count`` connections, of ``share`` that might have been taken."""
        self.share = min(count + 1, _LARGEST_SHARE) if count == self.share else 1
        if count:
            self.rest(self._give_way_seconds, now)

    def rest(self, seconds: float, now: float) -> None:
        """Take no connection for some time."""
        self._resume_at = max(self._resume_at, now + seconds)
