"""Who brings a refresh token to the issuer and the answer home, come what may."""

import base64
import json
import logging
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from airelays_app.errors import UpstreamCut, UpstreamError, UpstreamUnreachable
from airelays_app.providers.codex.constants import Issuer
from airelays_app.providers.codex.journal import PendingRecord
from airelays_app.providers.codex.messenger import Orders
from airelays_app.providers.codex.oauth import IssuerAnswer, renewal_request
from airelays_app.upstream.client import ClientOptions

MESSENGER: Final = (sys.executable, "-P", "-m", "airelays_app.providers.codex.messenger")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """The issuer's answer, and when it came (unix seconds)."""

    answer: IssuerAnswer
    at: float


class Courier(Protocol):
    """Sends a refresh token; the answer is in the record before it is returned.

    ``lock`` is the descriptor of the login's lock. Raises a subclass of
    :class:`airelays_app.errors.UpstreamError` if there is no answer: ``UpstreamUnreachable`` only
    if the token certainly was not sent.
    """

    def __call__(self, refresh_token: str, pending: PendingRecord, *, lock: int) -> Delivery:
        """Return the issuer's answer, whatever it is."""


class MessengerCourier:
    """Leaves the errand to a process of its own, which outlives this one if it is killed."""

    def __init__(
        self,
        issuer: Issuer,
        options: ClientOptions,
        *,
        user_agent: str,
        connect_timeout: float,
        command: Sequence[str] = MESSENGER,
    ) -> None:
        self._issuer = issuer
        self._options = options
        self._user_agent = user_agent
        self._connect_timeout = connect_timeout
        self._command = tuple(command)

    def __call__(self, refresh_token: str, pending: PendingRecord, *, lock: int) -> Delivery:
        """Send a messenger and wait until it is back."""
        orders = self._orders(refresh_token, pending, lock)
        return _delivery(_report(self._command, orders))

    def _orders(self, refresh_token: str, pending: PendingRecord, lock: int) -> Orders:
        url, form = renewal_request(self._issuer, refresh_token)
        return Orders(
            url=url,
            form=form,
            record=pending.descriptor,
            answer_offset=pending.answer_offset,
            lock=lock,
            proxies=dict(self._options.proxies),
            no_proxy=self._options.no_proxy,
            ca_bundle=self._options.ca_bundle,
            user_agent=self._user_agent,
            connect_timeout=self._connect_timeout,
        )


def _report(command: Sequence[str], orders: Orders) -> Mapping[str, Any]:
    """Return what the messenger reports; raises UpstreamUnreachable if none could be sent."""
    try:
        messenger = subprocess.Popen(  # noqa: S603 - our own program, no shell
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=(orders.record, orders.lock),
            start_new_session=True,
            cwd="/",
        )
    except OSError as error:
        raise UpstreamUnreachable(
            f"The login cannot be renewed: no process can be started ({error.strerror})."
        ) from error
    with messenger:
        said, _ = messenger.communicate(orders.line())
    try:
        report = json.loads(said)
    except ValueError:
        raise UpstreamCut("The renewal of the login ended without an answer.") from None
    return report if isinstance(report, dict) else {}


def _delivery(report: Mapping[str, Any]) -> Delivery:
    if trouble := report.get("trouble"):
        raise UpstreamUnreachable(trouble) if report["unsent"] else UpstreamError(trouble)
    if report["not_kept"]:
        _log.error("The issuer's answer could not be put on disk: %s", report["not_kept"])
    answer = IssuerAnswer(report["status"], base64.b64decode(report["raw"]))
    return Delivery(answer, report["at"])
