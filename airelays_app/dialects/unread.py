"""Fields of a request that its decoder does not read: the client is told of each as a loss."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from airelays_app.dialects.base import Json
from airelays_app.dialects.fields import asks_for_something, objects
from airelays_app.neutral.losses import Loss


def unread_fields(holder: Json, read: Collection[str], path: str = "") -> Iterator[str]:
    """Yield the paths of the fields of ``holder`` that ask for something and are not ``read``."""
    prefix = f"{path}." if path else ""
    for name, value in holder.items():
        if name not in read and asks_for_something(value):
            yield f"{prefix}{name}"


def unread_of_parts(parts: Any, read_of: Mapping[str, Collection[str]], path: str) -> Iterator[str]:
    """Yield the same for each part of an array, by its ``type``; other types are left out."""
    for part_path, part in objects(parts, path) if isinstance(parts, list) else ():
        kind = part.get("type")
        read = read_of.get(kind) if isinstance(kind, str) else None
        if read is not None:
            yield from unread_fields(part, read, part_path)


def unread_losses(paths: Iterable[str]) -> tuple[Loss, ...]:
    """Return the losses that these paths are."""
    return tuple(Loss(path, "this model's upstream has no such field") for path in paths)
