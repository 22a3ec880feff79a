"""What works without a web application: providers, relay, router, catalogue, usage.

The command line uses this too, so nothing here imports Flask.
"""

from dataclasses import dataclass, replace

from airelays_app.config import Settings
from airelays_app.config.proxies import no_proxy_of, proxies_of
from airelays_app.providers.base import Model, Provider
from airelays_app.providers.registry import (
    SYNONYMS,
    Accounts,
    Surroundings,
    build_accounts,
    default_provider,
)
from airelays_app.services.calls import Calls
from airelays_app.services.catalog import Catalog, Fetch
from airelays_app.services.pool import Fallbacks, Pool
from airelays_app.services.relay import Relay
from airelays_app.services.routing import Router
from airelays_app.services.subscription import Subscription
from airelays_app.services.traffic import Traffic
from airelays_app.services.trial import Ask
from airelays_app.store.benches import Benches
from airelays_app.store.database import Database
from airelays_app.store.steady_clock import SteadyClock
from airelays_app.store.traffic import TrafficLog
from airelays_app.upstream.client import ClientOptions, UpstreamClient
from airelays_app.upstream.request import OutboundRequest
from airelays_app.upstream.retry import RetryPolicy

_LIST_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Core:
    """The services that need no web application."""

    database: Database
    accounts: Accounts
    router: Router
    pool: Pool
    ask_models: Ask
    calls: Calls
    relay: Relay
    traffic: Traffic
    catalog: Catalog
    subscription: Subscription


def build_core(settings: Settings, surroundings: Surroundings) -> Core:
    """Return the core of one process; nothing is opened before it is needed."""
    accounts = build_accounts(settings, surroundings)
    providers = {name: members[0] for name, members in accounts.items()}
    traffic = Traffic(_traffic_log(settings))
    calls = Calls(UpstreamClient(client_options(settings)), traffic)
    router = Router(
        providers,
        aliases=settings.models.aliases,
        choose_default=lambda: default_provider(settings, providers),
        synonyms=SYNONYMS,
        require_prefix=settings.routing.require_prefix,
    )
    database = Database(settings.paths.data_dir / "state.sqlite3")
    pool = Pool(
        accounts,
        benches=Benches(database, clock=SteadyClock(database)),
        router=router,
        fallbacks=Fallbacks.parse(settings.routing.fallbacks, settings.models.aliases),
    )
    relay = Relay(
        calls,
        pool,
        policy=_retry_policy(settings),
        max_reply_bytes=settings.upstream.max_reply_bytes,
        traffic=traffic,
    )
    ask_models = _ask_models(relay)
    catalog = Catalog(router, _listed_or(ask_models), ttl=settings.models.cache_ttl_seconds)
    router.find_owner = catalog.owner_of
    return Core(
        database=database,
        accounts=accounts,
        router=router,
        pool=pool,
        ask_models=ask_models,
        calls=calls,
        relay=relay,
        traffic=traffic,
        catalog=catalog,
        subscription=Subscription(
            providers, relay.fetch, ttl=settings.upstream.usage_cache_seconds
        ),
    )


def client_options(settings: Settings) -> ClientOptions:
    """Return how upstreams are reached."""
    upstream = settings.upstream
    return ClientOptions(
        pool_size=(settings.server.threads or settings.server.streams) * 5 // 4,
        proxies=proxies_of(upstream),
        no_proxy=no_proxy_of(upstream),
        ca_bundle=str(upstream.ca_bundle) if upstream.ca_bundle else None,
    )


def _retry_policy(settings: Settings) -> RetryPolicy:
    upstream = settings.upstream
    return RetryPolicy(
        attempts=upstream.retry_attempts + 1, waits=(0.5, 2.0), budget=upstream.retry_wait_seconds
    )


def _traffic_log(settings: Settings) -> TrafficLog | None:
    logging = settings.logging
    if not logging.traffic:
        return None
    return TrafficLog(
        settings.paths.logs_dir,
        retention_days=logging.retention_days,
        max_total_mb=logging.max_total_mb,
        max_file_mb=logging.max_file_mb,
        bodies=logging.traffic_bodies,
    )


def _ask_models(relay: Relay) -> Ask:
    def ask(provider: Provider) -> list[Model] | None:
        if provider.models_request() is None:
            return None
        return provider.read_models(relay.fetch(provider, lambda: _models_request(provider)))

    return ask


def _listed_or(ask: Ask) -> Fetch:
    """Return what asks no provider whose models are known without."""
    return lambda provider: provider.configured_models() or ask(provider) or []


def _models_request(provider: Provider) -> OutboundRequest:
    """Return the call that lists the models: one that thinks about it for long has none."""
    request = provider.models_request()
    assert request is not None
    return replace(request, read_timeout=min(request.read_timeout, _LIST_SECONDS))
