"""How Mistral refuses a request."""

from airelays_app.sandbox.exchange import Answer, json_answer


def invalid(name: str, why: str) -> Answer:
    """Return the refusal of a field of the body (openapi.yaml, seen 2026-11-26)."""
    return json_answer(
        422, {"detail": [{"loc": ["body", name], "msg": why, "type": "value_error"}]}
    )
