"""The arguments of a call as an object, for dialects that do not have them as text."""

from airelays_app.dialects.base import Json
from airelays_app.framing.jsontext import JsonTextError, loads


def arguments_object(text: str) -> Json:
    """Return what the model wrote; under ``input`` if that is no object."""
    if not text.strip():
        return {}
    try:
        value = loads(text.encode("utf-8", "surrogatepass"))
    except JsonTextError:
        value = text
    return value if isinstance(value, dict) else {"input": value}
