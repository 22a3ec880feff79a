"""What the relay works with, in a command's own process and without a server."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager

from airelays_app.composition.core import Core, build_core
from airelays_app.config import Settings
from airelays_app.providers.registry import Surroundings


@contextmanager
def relay_core(settings: Settings, environ: Mapping[str, str]) -> Iterator[Core]:
    """Lend the core; nothing is opened before it is used, and all is closed in the end."""
    core = build_core(settings, Surroundings(environ=environ))
    with closing(core.relay):
        yield core
