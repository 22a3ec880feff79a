"""The sockets that accept clients: our own, or those that systemd hands over."""

import errno
import os
import socket
from collections.abc import MutableMapping
from contextlib import suppress

from airelays_app.errors import ConfigError
from airelays_app.server.options import ServerOptions

_FIRST_PASSED = 3
_DEFER_SECONDS = 1


class CannotListen(ConfigError):
    """The address is taken, not of this machine, or not permitted."""


def open_listeners(options: ServerOptions) -> list[socket.socket]:
    """Return listening, non-blocking sockets; systemd's, where it has passed any.

    A name such as ``localhost`` may stand for several addresses; all get the same port.
    Raises :class:`CannotListen`.
    """
    listeners = _passed_by_systemd(os.environ) or _bind_all(options)
    for listener in listeners:
        listener.settimeout(0)
        _wake_with_data(listener)
    return listeners


def addresses_of(listeners: list[socket.socket]) -> list[tuple[str, int]]:
    """Return the ``(host, port)`` of each; a UNIX socket has its path and port 0."""
    names = [listener.getsockname() for listener in listeners]
    return [(name[0], name[1]) if isinstance(name, tuple) else (str(name), 0) for name in names]


def _passed_by_systemd(environ: MutableMapping[str, str]) -> list[socket.socket]:
    """sd_listen_fds(3): the variables are meant for one process and are removed."""
    meant_for = environ.pop("LISTEN_PID", "")
    count = environ.pop("LISTEN_FDS", "")
    environ.pop("LISTEN_FDNAMES", None)
    if meant_for != str(os.getpid()) or not count.isdecimal():
        return []
    passed = range(_FIRST_PASSED, _FIRST_PASSED + int(count))
    listeners = [socket.socket(fileno=descriptor) for descriptor in passed]
    for listener in listeners:
        listener.set_inheritable(inheritable=False)
    return listeners


def _bind_all(options: ServerOptions) -> list[socket.socket]:
    """``::`` alone takes IPv4 clients too."""
    listeners: list[socket.socket] = []
    port = options.port
    try:
        usable = [found for found in _resolve(options) if _is_usable(found[0])]
        for family, address in usable:
            dual = address == "::" and len(usable) == 1
            listeners.append(
                socket.create_server(
                    (address, port), family=family, backlog=options.backlog, dualstack_ipv6=dual
                )
            )
            port = listeners[0].getsockname()[1]
    except OSError as error:
        for listener in listeners:
            listener.close()
        raise _explained(error, options) from error
    if not listeners:
        raise CannotListen(f"server.host: this machine cannot listen on {options.host!r}.")
    return listeners


def _resolve(options: ServerOptions) -> list[tuple[socket.AddressFamily, str]]:
    found = socket.getaddrinfo(
        options.host or None, options.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    return list(dict.fromkeys((family, str(name[0])) for family, _, _, _, name in found))


def _is_usable(family: socket.AddressFamily) -> bool:
    return family == socket.AF_INET or socket.has_dualstack_ipv6()


def _wake_with_data(listener: socket.socket) -> None:
    """Let the kernel keep a connection to itself until its first bytes are here (or a second).

    Then a worker knows at once whether a connection costs it a thread. Answers are sent undelayed.
    """
    with suppress(OSError):  # a UNIX socket has no such options and needs none
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, _DEFER_SECONDS)


_ADVICE = {
    errno.EADDRINUSE: "something else is using it. Stop that, or set server.port (--port)",
    errno.EADDRNOTAVAIL: "it is not an address of this machine. Set server.host (--host)",
    errno.EACCES: "it is not permitted. Set server.port (--port) to 1024 or more",
}


def _explained(error: OSError, options: ServerOptions) -> CannotListen:
    reason = _ADVICE.get(error.errno or 0, error.strerror)
    return CannotListen(f"Cannot listen on {options.host}:{options.port}: {reason}.")
