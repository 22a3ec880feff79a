"""What the body of a new batch must look like."""

from collections.abc import Mapping
from typing import Any

from marshmallow import INCLUDE, Schema, ValidationError, validates_schema

from airelays_app.schemas import types
from airelays_app.schemas.generation import refuse_first


class BatchSchema(Schema):
    """Create: a file or inline requests, for one endpoint."""

    class Meta:
        """Unknown fields are harmless here."""

        unknown = INCLUDE

    endpoint = types.string()
    input_file_id = types.string()
    requests = types.array()
    completion_window = types.string()
    metadata = types.obj()

    @validates_schema(skip_on_field_errors=True)
    def check(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse a batch without an endpoint."""
        if not data.get("endpoint"):
            raise ValidationError("is required", "endpoint")


_SCHEMA = BatchSchema()


def validate_batch(body: Mapping[str, Any]) -> None:
    """Raise Unprocessable that names the field that is wrong."""
    refuse_first(_SCHEMA.validate(body))
