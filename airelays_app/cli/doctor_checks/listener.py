"""The address the relay listens on, and the relay that is running there."""

import errno

from airelays_app.cli.doctor_checks.situation import Situation
from airelays_app.cli.doctor_checks.verdict import Verdict, failed, passed, skipped, warned
from airelays_app.cli.failures import Failure
from airelays_app.cli.ports import bind_error
from airelays_app.cli.relay_api import RelayApi, RelayRefusal, local_url
from airelays_app.config import Settings
from airelays_app.errors import ConfigError
from airelays_app.services.status import APP_NAME
from airelays_app.version import VERSION

_START = "Start the relay: airelays serve"


def port(situation: Situation) -> Verdict:
    """The port is free for the relay, or the relay itself has it."""
    server, process = situation.settings.server, situation.process
    if not server.port:
        return skipped("server.port is 0: the relay takes a free one when it starts.")
    identity = situation.identity
    if identity is None:
        return _nothing_there(situation)
    if identity.get("app_name") != APP_NAME:
        return _taken(server.port, "another program")
    if process is None:
        return _taken(server.port, "another AIRelays, with a data folder of its own")
    return passed(f"The relay is running there, process {process}.", process=process)


def running_relay(situation: Situation) -> Verdict:
    """The running relay lets this owner in and is the installed version."""
    identity = situation.identity
    if not identity or identity.get("app_name") != APP_NAME:
        return skipped("It is not running.", _START)
    try:
        token = situation.tokens.show()
    except ConfigError:
        return skipped("There is no usable token to ask it with.")
    with RelayApi(local_url(situation.settings), token=token) as api:
        try:
            status = api.get("/v1/relay/status")
        except RelayRefusal as refusal:
            return _refused(refusal)
        except Failure as failure:
            return failed(failure.message, "Restart the relay.")
    return _judged(status)


def _judged(status: dict[str, object]) -> Verdict:
    ready = status.get("ready")
    if isinstance(ready, dict) and ready.get("storage") is False:
        return failed(
            "It runs, but its storage does not answer.",
            "See the findings about the data folder and the database, then restart the relay.",
        )
    if status.get("version") != VERSION:
        return warned(
            f"It runs version {status.get('version')}, installed is {VERSION}.",
            "Restart the relay to use the new version.",
        )
    return passed("It answers with the token of these settings.")


def _refused(refusal: RelayRefusal) -> Verdict:
    if refusal.status == 401:
        return failed(
            "It refuses the token of these settings.",
            "Run this command as the account and with the settings of the relay, or restart it; "
            "compare: airelays token show",
        )
    if refusal.code == "ip_temporarily_blocked":
        return failed(
            "This machine is blocked after too many wrong tokens.",
            "Let this machine in: airelays unblock",
        )
    return failed(refusal.message, "Look into the relay's log, or restart it.")


def _nothing_there(situation: Situation) -> Verdict:
    settings, process = situation.settings, situation.process
    if process is not None:
        return warned(
            f"A relay serves from this data folder, process {process}, but at another address.",
            "Use the same settings for both: server.host and server.port, or --host and --port",
            process=process,
        )
    error = bind_error(settings.server.host, settings.server.port)
    if error is None:
        return passed(f"Port {settings.server.port} is free.")
    if error.errno == errno.EADDRINUSE:
        return _taken(settings.server.port, "another program")
    return _cannot_listen(settings, error)


def _cannot_listen(settings: Settings, error: OSError) -> Verdict:
    host, number = settings.server.host, settings.server.port
    if error.errno in (errno.EACCES, errno.EPERM):
        return failed(
            f"Port {number} needs special rights.",
            "Take a port from 1024 up: airelays serve --port N",
        )
    return failed(
        f"This machine cannot listen on {host}: {error.strerror}.",
        "Listen on an address of this machine, or on all: airelays serve --host 0.0.0.0",
    )


def _taken(number: int, who: str) -> Verdict:
    return failed(
        f"Port {number} is in use by {who}.",
        f"See by which: ss -ltnp 'sport = :{number}'",
        "Stop that program, or take another port: airelays serve --port N, or server.port",
    )
