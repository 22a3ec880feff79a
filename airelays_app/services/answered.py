"""What an upstream has answered, read as a whole."""

from airelays_app.dialects.base import Json
from airelays_app.errors import UpstreamError
from airelays_app.framing.jsontext import JsonTextError, loads


def answered_object(data: bytes) -> Json:
    """Return the JSON object that an answer is; raises UpstreamError."""
    try:
        body = loads(data)
    except JsonTextError as error:
        raise UpstreamError("The upstream answered with something that is not JSON.") from error
    if not isinstance(body, dict):
        raise UpstreamError("The upstream did not answer with a JSON object.")
    return body
