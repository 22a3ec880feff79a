"""What ``airelays doctor`` looks at: one small function for each thing, in one table."""

from collections.abc import Callable
from dataclasses import dataclass

from airelays_app.cli.doctor_checks import access, files_and_folders, listener, machine, upstreams
from airelays_app.cli.doctor_checks.model_names import model_names
from airelays_app.cli.doctor_checks.situation import Situation
from airelays_app.cli.doctor_checks.verdict import Verdict, failed, skipped
from airelays_app.errors import ConfigError, RelayError

__all__ = ["CHECKS", "Check", "Situation", "Verdict", "examine"]


@dataclass(frozen=True, slots=True)
class Check:
    """One row; one that is ``online`` calls upstreams."""

    name: str
    title: str
    run: Callable[[Situation], Verdict]
    online: bool = False


CHECKS = (
    Check("configuration", "Configuration", files_and_folders.configuration_file),
    Check("data_folder", "Data folder", files_and_folders.data_folder),
    Check("database", "Database", files_and_folders.database),
    Check("relay_token", "Relay token", access.relay_token),
    Check("network", "Network", access.network),
    Check("blocked", "Blocked", access.blocked_addresses),
    Check("port", "Port", listener.port),
    Check("relay", "Running relay", listener.running_relay),
    Check("login", "Login", upstreams.login),
    Check("upstream", "Upstream", upstreams.upstream, online=True),
    Check("issuer", "Login service", upstreams.issuer, online=True),
    Check("subscription", "Subscription", upstreams.subscription, online=True),
    Check("other_servers", "Other servers", upstreams.other_servers, online=True),
    Check("model_names", "Model names", model_names, online=True),
    Check("local_model", "Local model", machine.local_model),
    Check("clock", "Clock", machine.clock),
)
"""Every check, in the order in which a request depends on them."""


def examine(check: Check, situation: Situation) -> Verdict:
    """Return what ``check`` finds; what stops it is a finding too."""
    if check.online and situation.offline:
        return skipped("Left out: --offline.")
    try:
        return check.run(situation)
    except RelayError as error:
        return failed(error.message)
    except (ConfigError, OSError) as error:
        return failed(f"This could not be looked at: {error}")
