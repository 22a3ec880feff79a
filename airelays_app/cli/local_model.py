"""The two things that the local model needs: its weights, and the library that runs them."""

import shlex
import sys
from importlib.util import find_spec
from pathlib import Path

from airelays_app.cli.failures import Failure
from airelays_app.cli.progress import progress_shown
from airelays_app.providers.local.weights import SMOLLM2, Weights, install, verify
from airelays_app.providers.local.wheels import WeightsError

INSTALL_LIBRARY = f"{shlex.quote(sys.executable)} -m pip install 'airelays[local]'"
"""The command that adds the library to this very installation."""


def library_present() -> bool:
    """Return whether the library that runs the model is installed."""
    return find_spec("xllamacpp") is not None


def ensure_weights(models_dir: Path, *, quiet: bool, weights: Weights = SMOLLM2) -> bool:
    """Install the weights unless they are there; return whether they had to be fetched.

    Shows the progress unless ``quiet``. Raises Failure, with what to do about it.
    """
    if verify(models_dir, weights) is not None:
        return False
    try:
        if quiet:
            install(models_dir, progress=_unseen, weights=weights)
            return True
        with progress_shown("Fetching the model", weights.work) as progress:
            install(models_dir, progress=progress, weights=weights)
    except WeightsError as error:
        raise Failure(str(error)) from error
    return True


def _unseen(_done: int, _total: int) -> None:
    """Show nothing."""
