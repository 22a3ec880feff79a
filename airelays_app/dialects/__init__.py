"""What clients and upstreams speak: one decoder and one encoder each."""

from airelays_app.dialects.base import Dialect
from airelays_app.dialects.chat import CHAT
from airelays_app.dialects.completions import COMPLETIONS
from airelays_app.dialects.gemini import GEMINI
from airelays_app.dialects.messages import MESSAGES
from airelays_app.dialects.responses import RESPONSES

DIALECTS: dict[str, Dialect] = {
    dialect.name: dialect for dialect in (RESPONSES, CHAT, COMPLETIONS, MESSAGES, GEMINI)
}
