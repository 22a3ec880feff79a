"""The two shapes in which the real services word an error."""

from airelays_app.sandbox.exchange import Answer, json_answer


def detail(text: str, status: int = 400) -> Answer:
    """Return a refusal in the backend's own ``detail`` shape."""
    return json_answer(status, {"detail": text})


def fault(message: str, param: str | None, code: str | None = None, status: int = 400) -> Answer:
    """Return a refusal in the API's ``error`` shape."""
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return json_answer(status, {"error": error})
