"""Reading a client's JSON object: what it costs in memory, and what makes two readers disagree."""

from airelays_app.dialects.base import Json
from airelays_app.errors import BadRequest, TooLarge
from airelays_app.framing.jsontext import JsonTextError, loads, repeated_name

_LONGEST_NAME_SHOWN = 200
_MOST_VALUES = 8_000_000
_BYTES_OF_A_VALUE = 64
"""What an empty array costs once it is parsed: 25 times its text (measured 2026-11-25)."""


def parsed_bytes(raw: bytes) -> int:
    """Return about how much memory the values of ``raw`` take beside it; raises TooLarge."""
    values = sum(map(raw.count, (b",", b"[", b"{")))
    if values > _MOST_VALUES:
        raise TooLarge(f"The JSON has more than {_MOST_VALUES} values.")
    return values * _BYTES_OF_A_VALUE


def read_object(raw: bytes, *, what: str) -> Json:
    """Return the object that ``raw`` is, no field in it twice; raises BadRequest.

    ``what`` is the word for it in messages.
    """
    try:
        value = loads(raw)
    except JsonTextError as error:
        raise BadRequest(f"The {what} is not valid JSON: {error}.") from error
    if not isinstance(value, dict):
        raise BadRequest(f"The {what} must be a JSON object.")
    _refuse_repeated_name(raw, value)
    return value


def _refuse_repeated_name(raw: bytes, value: Json) -> None:
    """The relay would act on one value, and an upstream that gets the same bytes on the other."""
    name = repeated_name(raw, value)
    if name is not None:
        shown = name[:_LONGEST_NAME_SHOWN]
        raise BadRequest(f"The JSON has the field {shown} more than once.", param=shown)
