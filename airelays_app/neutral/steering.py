"""Steering text in a conversation, for dialects that have it at the front only."""

from collections.abc import Iterable, Iterator

from airelays_app.neutral.request import Message, Request, Text

_STEERING = ("system", "developer")


def as_reminder(text: str) -> str:
    """Return steering text as it stands in a turn of the user's: marked, so that a model can tell.

    The mark is the one that Claude Code uses itself (seen 2026-11-22).
    """
    return f"<system-reminder>\n{text}\n</system-reminder>"


def leading_texts(request: Request) -> Iterator[Text]:
    """Yield the steering texts before the conversation."""
    if request.instructions:
        yield Text(request.instructions)
    for message in request.messages:
        if message.role not in _STEERING or message.in_place:
            return
        yield from _texts(message)


def after_leading(messages: Iterable[Message]) -> Iterator[Message]:
    """Yield the conversation; what steers within it is a reminder in a turn of the user's."""
    begun = False
    for message in messages:
        steers = message.role in _STEERING
        begun = begun or message.in_place or not steers
        if begun:
            yield _reminding(message) if steers else message


def _reminding(message: Message) -> Message:
    return Message("user", tuple(map(_reminder, _texts(message))))


def _reminder(text: Text) -> Text:
    return Text(as_reminder(text.text), cache=text.cache) if text.text.strip() else text


def _texts(message: Message) -> Iterator[Text]:
    return (part for part in message.parts if isinstance(part, Text))
