"""A process of its own that asks for access, and may die, or its messenger, at a named point.

Usage: ``renewing_process.py AUTH_FILE ISSUER_URL [POINT | THREADS]``. Prints ``ready``, then the
tokens it got, one per line, or ``problem: <code>: <message>``.
"""

import os
import signal
import sys
import threading
from pathlib import Path

from airelays_app.errors import RelayError
from airelays_app.providers.codex import journal
from airelays_app.providers.codex.constants import Issuer
from airelays_app.providers.codex.courier import MESSENGER, MessengerCourier
from airelays_app.providers.codex.credentials import CredentialFile
from airelays_app.providers.codex.session import CodexSession
from airelays_app.upstream.client import ClientOptions

IN_MESSENGER = ("before-send", "after-send", "after-keep")


def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_after(original):
    def call(*arguments, **named):
        original(*arguments, **named)
        die()

    return call


def arm(point: str) -> None:
    """Make the process kill itself when it comes to ``point``."""
    if point == "before-errand":
        MessengerCourier.__call__ = die
    elif point == "after-errand":
        MessengerCourier.__call__ = die_after(MessengerCourier.__call__)
    elif point == "before-rename":
        Path.replace = die
    elif point == "after-rename":
        Path.replace = die_after(Path.replace)
    elif point == "before-forget":
        journal.Journal.forget = die


def courier(url: str, point: str) -> MessengerCourier:
    dying = (sys.executable, "-m", "tests.providers.codex.dying_messenger", point)
    return MessengerCourier(
        Issuer(url),
        ClientOptions(),
        user_agent="test",
        connect_timeout=10.0,
        command=dying if point in IN_MESSENGER else MESSENGER,
    )


def main(path: str, url: str, point: str) -> None:
    arm(point)
    session = CodexSession(CredentialFile(Path(path)), courier=courier(url, point))
    lines: list[str] = []
    print("ready", flush=True)

    def ask() -> None:
        try:
            lines.append(session.access().token)
        except RelayError as error:
            lines.append(f"problem: {error.code}: {error.message}")

    threads = [threading.Thread(target=ask) for _ in range(int(point) if point.isdecimal() else 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print("\n".join(lines))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else "none")
