"""The arguments of a call: JSON text in some dialects, an object in the others."""

from airelays_app.dialects.base import Json
from airelays_app.framing.jsontext import JsonTextError, loads

NO_ARGUMENTS = "{}"
"""What a call has that takes nothing: clients and templates parse what there is as JSON."""


def arguments_object(text: str) -> Json:
    """Return what the model wrote; under ``input`` if that is no object."""
    if not text.strip():
        return {}
    try:
        value = loads(text.encode("utf-8", "surrogatepass"))
    except JsonTextError:
        value = text
    return value if isinstance(value, dict) else {"input": value}
