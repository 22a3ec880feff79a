"""The composition root: settings in, application out. Real dependencies meet here only."""

from flask import Flask

from airelays_app.config import Settings
from airelays_app.config.proxies import no_proxy_of, proxies_of
from airelays_app.providers.base import Model, Provider
from airelays_app.providers.registry import Surroundings, build_providers, default_provider
from airelays_app.schemas.generation import GenerationSchemas
from airelays_app.services.catalog import Catalog, Fetch
from airelays_app.services.relay import Relay
from airelays_app.services.routing import Router
from airelays_app.services.traffic import Traffic
from airelays_app.store.conversations import ConversationStore
from airelays_app.store.database import Database
from airelays_app.store.files import FileStore
from airelays_app.store.traffic import TrafficLog
from airelays_app.upstream.client import ClientOptions, UpstreamClient
from airelays_app.upstream.request import OutboundRequest
from airelays_app.upstream.retry import RetryPolicy
from airelays_app.web.application import build_application
from airelays_app.web.context import Services
from airelays_app.web.inflight import InflightBytes


def create_app(settings: Settings, surroundings: Surroundings | None = None) -> Flask:
    """Return the application for ``settings``; one per worker process."""
    return build_application(build_services(settings, surroundings or Surroundings()))


def build_services(settings: Settings, surroundings: Surroundings) -> Services:
    """Return the services of one process; nothing is opened before it is needed."""
    database = Database(settings.paths.data_dir / "state.sqlite3")
    providers = build_providers(settings, surroundings)
    traffic = Traffic(_traffic_log(settings))
    relay = Relay(
        UpstreamClient(client_options(settings)),
        policy=_retry_policy(settings),
        max_reply_bytes=settings.upstream.max_reply_bytes,
        traffic=traffic,
    )
    router = Router(
        providers,
        aliases=settings.models.aliases,
        choose_default=lambda: default_provider(settings, providers),
    )
    return Services(
        settings=settings,
        database=database,
        files=FileStore(
            database,
            settings.paths.data_dir / "uploads",
            max_file_bytes=settings.uploads.max_upload_bytes,
            max_total_bytes=settings.uploads.max_total_upload_bytes,
        ),
        conversations=ConversationStore(database),
        router=router,
        relay=relay,
        traffic=traffic,
        catalog=Catalog(router, _fetch_models(relay), ttl=settings.models.cache_ttl_seconds),
        schemas=GenerationSchemas(),
        inflight=InflightBytes(settings.server.max_inflight_bytes),
    )


def client_options(settings: Settings) -> ClientOptions:
    """Return how upstreams are reached."""
    upstream = settings.upstream
    return ClientOptions(
        pool_size=settings.server.threads or settings.server.streams,
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


def _fetch_models(relay: Relay) -> Fetch:
    def fetch(provider: Provider) -> list[Model]:
        if provider.models_request() is None:
            return provider.configured_models()
        return provider.read_models(relay.fetch(provider, lambda: _models_request(provider)))

    return fetch


def _models_request(provider: Provider) -> OutboundRequest:
    request = provider.models_request()
    assert request is not None
    return request
