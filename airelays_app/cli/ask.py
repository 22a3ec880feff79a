"""``airelays ask``: a question to the running relay, through its own HTTP API."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import click

from airelays_app.cli.failures import Failure
from airelays_app.cli.options import Invocation, json_option, pass_invocation, shared_options
from airelays_app.cli.page import Page, show
from airelays_app.cli.relay_api import RelayApi, local_url
from airelays_app.cli.wording import printable
from airelays_app.config import Settings
from airelays_app.store.tokens import open_tokens

_ENDS = frozenset({"response.completed", "response.incomplete"})
_FAILURES = frozenset({"response.failed", "error"})


@click.command()
@json_option
@click.option("--model", metavar="NAME", help="The model to ask; default: models.default.")
@click.argument("question", nargs=-1, required=True)
@shared_options
@pass_invocation
def ask(invocation: Invocation, question: tuple[str, ...], *, model: str | None) -> None:
    """Ask the running relay and print the answer as it comes.

    QUESTION is the text, or - to read it from standard input.
    """
    settings = invocation.settings()
    prompt = _prompt(question)
    with RelayApi(local_url(settings), token=_token(settings)) as api:
        chosen = model or settings.models.default or _first_model(api)
        write = discard if invocation.as_json else terminal_writer()
        timeout = settings.upstream.request_timeout_seconds
        answer = stream_answer(api, prompt, model=chosen, write=write, read_timeout=timeout)
    if invocation.as_json:
        show(invocation, page=Page("answer"), data=answer.shown())
        return
    click.echo()
    if answer.note:
        click.echo(answer.note, err=True)


@dataclass(slots=True)
class Streamed:
    """An answer, whole once it has ended."""

    text: list[str] = field(default_factory=list)
    response: dict[str, Any] = field(default_factory=dict)

    @property
    def note(self) -> str:
        """Why the answer is shorter than the model wanted; empty if it is not."""
        details = self.response.get("incomplete_details")
        reason = details.get("reason") if isinstance(details, dict) else None
        return f"The answer is incomplete: {reason}." if reason else ""

    def shown(self) -> dict[str, Any]:
        """Return the answer for programs."""
        known = {name: self.response.get(name) for name in ("id", "model", "status", "usage")}
        return {**known, "text": "".join(self.text)}


def stream_answer(
    api: RelayApi,
    prompt: str,
    *,
    model: str,
    write: Callable[[str], None],
    read_timeout: float,
) -> Streamed:
    """Ask ``model``, give each piece of the answer to ``write``, and return the whole.

    Raises Failure for an error before or within the answer, and for one without an end.
    """
    body = {"model": model, "input": prompt, "stream": True}
    answer = Streamed()
    for event in api.events("/v1/responses", body, read_timeout=read_timeout):
        kind = event.get("type")
        if kind in ("response.output_text.delta", "response.refusal.delta"):
            piece = str(event.get("delta", ""))
            answer.text.append(piece)
            write(piece)
        elif kind in _FAILURES:
            raise Failure(_failure_in(event))
        elif kind in _ENDS:
            answer.response = event.get("response") or {}
            return answer
    raise Failure("The answer was cut short.")


def _prompt(question: tuple[str, ...]) -> str:
    text = sys.stdin.read() if question == ("-",) else " ".join(question)
    if not text.strip():
        raise click.UsageError("There is nothing to ask.")
    return text


def _token(settings: Settings) -> str | None:
    if not settings.security.require_bearer_auth:
        return None
    token = open_tokens(settings).show()
    if token is None:
        raise Failure("There is no relay token. Make one: airelays init")
    return token


def _first_model(api: RelayApi) -> str:
    listed = api.get("/v1/models").get("data")
    ids = [entry.get("id") for entry in listed] if isinstance(listed, list) else []
    if not ids:
        raise Failure("The relay offers no models. Find out why: airelays doctor")
    return str(ids[0])


def terminal_writer() -> Callable[[str], None]:
    """Return what prints the pieces of an answer.

    It must not drive the terminal: there, and only there, control characters are left out.
    """
    raw = not sys.stdout.isatty()

    def write(piece: str) -> None:
        sys.stdout.write(piece if raw else printable(piece))
        sys.stdout.flush()

    return write


def _failure_in(event: dict[str, Any]) -> str:
    response = event.get("response")
    error = event.get("error") or (response.get("error") if isinstance(response, dict) else None)
    message = error.get("message") if isinstance(error, dict) else None
    return str(message or event.get("message") or "The upstream failed without saying why.")


def discard(_: str) -> None:
    """Print nothing yet: the answer is shown as a whole in the end."""
