"""The table of settings: one frozen dataclass a section, one row a field."""

from airelays_app.config.sections.local import Local
from airelays_app.config.sections.logs import Logging
from airelays_app.config.sections.models import Compat, Models, Realtime, Routing
from airelays_app.config.sections.providers import Provider
from airelays_app.config.sections.security import Security
from airelays_app.config.sections.server import Server
from airelays_app.config.sections.state import Batches, Conversations, Paths, Responses, Uploads
from airelays_app.config.sections.upstream import Auth, Upstream

__all__ = [
    "Auth",
    "Batches",
    "Compat",
    "Conversations",
    "Local",
    "Logging",
    "Models",
    "Paths",
    "Provider",
    "Realtime",
    "Responses",
    "Routing",
    "Security",
    "Server",
    "Uploads",
    "Upstream",
]
