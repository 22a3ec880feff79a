"""What a command that fails says, and its exit status.

0 done, 1 not done, 2 wrong usage (click's own), 75 and 78 as in ``sysexits.h``, 130 interrupted.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import click

from airelays_app.cli.wording import printable
from airelays_app.errors import ConfigError, RelayError

EXIT_FAILED = 1
EXIT_TRY_AGAIN = 75
EXIT_CONFIG = 78
EXIT_INTERRUPTED = 128 + signal.SIGINT


class _Told(click.ClickException):
    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


class Failure(_Told):
    """A command could not do what was asked."""

    exit_code = EXIT_FAILED


class TryAgain(_Told):
    """Somebody else is using what the command needs."""

    exit_code = EXIT_TRY_AGAIN


class WrongConfiguration(_Told):
    """The settings do not allow what was asked."""

    exit_code = EXIT_CONFIG


@contextmanager
def told_to_people() -> Iterator[None]:
    """Turn the errors that a command may raise into sentences with the right exit status."""
    try:
        yield
    except ConfigError as error:
        raise WrongConfiguration(str(error)) from error
    except RelayError as error:
        raise Failure(error.message) from error
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Failure(_system_error(error)) from error
    except KeyboardInterrupt:
        raise click.exceptions.Exit(EXIT_INTERRUPTED) from None


def _system_error(error: OSError) -> str:
    reason = error.strerror or str(error) or type(error).__name__
    return f"{error.filename}: {reason}" if error.filename else reason
