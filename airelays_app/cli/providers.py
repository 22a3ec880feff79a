"""``airelays providers``: the upstreams of the owner, their accounts, and whether they answer."""

from collections.abc import Iterable, Iterator

import click

from airelays_app.cli.failures import EXIT_FAILED
from airelays_app.cli.in_process import relay_core
from airelays_app.cli.options import Invocation, json_option, pass_invocation, shared_options
from airelays_app.cli.page import Page, show
from airelays_app.cli.wording import duration, readiness
from airelays_app.composition.core import Core
from airelays_app.dialects.base import Json
from airelays_app.errors import RelayError
from airelays_app.providers.base import Provider
from airelays_app.services.status import provider_states
from airelays_app.services.trial import try_out
from airelays_app.store.benches import Bench


@click.group()
@shared_options
def providers() -> None:
    """Show the upstreams that the relay can reach, and try them."""


@providers.command("list")
@json_option
@shared_options
@pass_invocation
def list_providers(invocation: Invocation) -> None:
    """List the providers: what they speak, how many accounts they have, and their health.

    No upstream is asked.
    """
    with relay_core(invocation.settings(), invocation.environ) as core:
        described = list(_described(core))
    page = Page("providers")
    for provider in described:
        page.section(provider["name"])
        page.field("Kind", provider["kind"])
        page.field("Speaks", ", ".join(provider["dialects"]))
        page.field("Also does", ", ".join(provider["operations"]) or "nothing else")
        page.field("State", readiness(provider))
        for account in provider["accounts"]:
            page.field(f"Account {account['name'] or 'main'}", _health(account["benches"]))
    show(invocation, page=page, data={"providers": described})


@providers.command()
@json_option
@click.argument("name", required=False)
@shared_options
@pass_invocation
@click.pass_context
def test(context: click.Context, invocation: Invocation, name: str | None) -> None:
    """Ask every account of every provider, or of NAME, for its models.

    Costs nothing at any of them; the model on this machine is not started. Exit status 1 if one
    does not answer.
    """
    with relay_core(invocation.settings(), invocation.environ) as core:
        if name and core.router.named(name) is None:
            known = ", ".join(core.router.providers)
            raise click.UsageError(f"There is no provider {name!r}; there are: {known}.")
        tried = [_tried(core, account) for account in _accounts(core, name)]
    page = Page("providers tested")
    for result in tried:
        page.field(" ".join(filter(None, (result["provider"], result["account"]))), _words(result))
    show(invocation, page=page, data={"tested": tried})
    if not all(result["ok"] for result in tried):
        context.exit(EXIT_FAILED)


def _described(core: Core) -> Iterator[Json]:
    states = provider_states(core.router.providers)
    health = core.pool.health()
    for name, members in core.accounts.items():
        first = members[0]
        yield {
            "name": name,
            "kind": first.kind,
            "dialects": list(first.dialects),
            "operations": sorted(first.operations),
            "ready": states[name]["ready"],
            "problem": states[name]["problem"],
            "accounts": [
                {
                    "name": each.account,
                    "benches": [
                        _shown(core, bench) for bench in health.get((name, each.account), ())
                    ],
                }
                for each in members
            ],
        }


def _shown(core: Core, bench: Bench) -> Json:
    """Return what is held against an account: ``model`` is None if it is all its models."""
    seconds = round(bench.until - core.pool.now())
    return {"kind": bench.kind, "model": bench.model or None, "seconds_left": seconds}


def _health(benches: Iterable[Json]) -> str:
    return "; ".join(map(_held, benches)) or "healthy"


def _held(bench: Json) -> str:
    words = {"limit": "limited", "dead": "rejected", "outage": "down"}[bench["kind"]]
    model = f" for {bench['model']}" if bench["model"] else ""
    return f"{words}{model}, left alone for another {duration(bench['seconds_left'])}"


def _accounts(core: Core, name: str | None) -> Iterable[Provider]:
    chosen = core.router.named(name) if name else None
    members = core.accounts.values() if chosen is None else [core.accounts[chosen.name]]
    return (account for each in members for account in each)


def _tried(core: Core, account: Provider) -> Json:
    tried: Json = {"provider": account.name, "account": account.account}
    try:
        trial = try_out(account, core.ask_models)
    except RelayError as error:
        return {**tried, "ok": False, "asked": True, "models": None, "problem": error.message}
    return {**tried, "ok": True, "asked": trial.asked, "models": trial.models, "problem": None}


def _words(result: Json) -> str:
    if not result["ok"]:
        return str(result["problem"])
    models = result["models"]
    return f"{'answers' if result['asked'] else 'ready'}, {models} model{'s' * (models != 1)}"
