"""What the owner is told to do about what is missing or broken."""

from collections.abc import Mapping
from types import MappingProxyType

INIT_STEP = "Make a relay token: airelays init"
_LOGIN_STEP = "Log in to the subscription: airelays login"

PROBLEM_STEPS: Mapping[str, str] = MappingProxyType(
    {
        "missing": f"{_LOGIN_STEP} (or, without an account: airelays local install)",
        "incomplete": "The stored login lacks tokens. Log in again: airelays login",
        "expired": "The login has expired and cannot be renewed. Log in again: airelays login",
        "refresh_failed": "The login was not renewed: it was refused. Log in again: airelays login",
        "account_mismatch": "The stored login belongs to another account than the one you chose. "
        "Log in again: airelays login --replace",
        "not_installed": "Install the local model: airelays local install",
        "no_model_file": "Put the local model where local.model_path says, or change that setting",
        "no_key": "Give each provider its key: api_key in its [providers.NAME] table",
    }
)
"""What to do about each problem that a provider's status may name."""
