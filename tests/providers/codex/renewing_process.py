"""A process of its own that asks for access, and may kill itself at a named point.

Usage: ``renewing_process.py AUTH_FILE ISSUER_URL [POINT | THREADS]``. Prints ``ready``, then the
tokens it got, one per line, or ``problem: <code>: <message>``.
"""

import http.client
import os
import signal
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

from airelays_app.errors import RelayError
from airelays_app.providers.codex import journal
from airelays_app.providers.codex.constants import Issuer
from airelays_app.providers.codex.credentials import CredentialFile
from airelays_app.providers.codex.oauth import IssuerAnswer
from airelays_app.providers.codex.session import CodexSession
from tests.providers.codex.rotating_issuer import post_plainly


def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_after(original):
    def call(*arguments, **named):
        original(*arguments, **named)
        die()

    return call


def post_and_die_before_reading(url, *, form=None, json=None) -> IssuerAnswer:
    """Send, wait for the issuer's first byte (so it has decided), and die without reading it."""
    from json import dumps

    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
    connection.request("POST", address.path, dumps(json), {"Content-Type": "application/json"})
    connection.sock.recv(1)
    die()
    raise AssertionError


def arm(point: str) -> None:
    """Make the process kill itself when it comes to ``point`` outside of its poster."""
    if point == "after-receive":
        journal.os.pwrite = die_after(os.pwrite)
    elif point == "before-rename":
        Path.replace = die
    elif point == "after-rename":
        Path.replace = die_after(Path.replace)
    elif point == "before-forget":
        journal.Journal.forget = die


def main(path: str, url: str, point: str) -> None:
    arm(point)
    posters = {"before-send": die, "after-send": post_and_die_before_reading}
    session = CodexSession(
        CredentialFile(Path(path)), issuer=Issuer(url), post=posters.get(point, post_plainly)
    )
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
