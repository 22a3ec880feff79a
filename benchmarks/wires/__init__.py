"""The dialects as the load's clients and its stand-in upstream speak them, one module each."""

from collections.abc import Mapping
from types import MappingProxyType

from benchmarks.wires.chat import CHAT
from benchmarks.wires.gemini import GEMINI
from benchmarks.wires.messages import MESSAGES
from benchmarks.wires.responses import RESPONSES
from benchmarks.wires.wire import Wire

WIRES: Mapping[str, Wire] = MappingProxyType(
    {"responses": RESPONSES, "chat": CHAT, "messages": MESSAGES, "gemini": GEMINI}
)
