"""What the bodies of the conversation routes must look like."""

from collections.abc import Mapping
from typing import Any

from marshmallow import INCLUDE, Schema

from airelays_app.schemas import types
from airelays_app.schemas.generation import refuse_first


class ConversationSchema(Schema):
    """Create and update: ``metadata`` and ``items``."""

    class Meta:
        """Unknown fields are harmless here."""

        unknown = INCLUDE

    metadata = types.obj()
    items = types.array()


_SCHEMA = ConversationSchema()


def validate_conversation(body: Mapping[str, Any]) -> None:
    """Raise Unprocessable that names the field that is wrong."""
    refuse_first(_SCHEMA.validate(body))
