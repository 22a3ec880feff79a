"""The models of every provider, remembered for a while."""

import difflib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from airelays_app.errors import NotFound, RelayError
from airelays_app.providers.base import Model, Provider
from airelays_app.services.routing import Router

FAILURE_SECONDS = 5.0
"""How long a failed fetch is remembered, so that a dead upstream is not asked at every request."""
PATIENCE_SECONDS = 3.0
"""How long a list of all models waits for the first answer of those that are not the default."""

Fetch = Callable[[Provider], list[Model]]


@dataclass(slots=True)
class _Entry:
    """What is known of one provider's models; ``lock`` lets one thread fetch at a time."""

    models: list[Model] | None = None
    error: RelayError | None = None
    fetched: float = -1e9
    lock: threading.Lock = field(default_factory=threading.Lock)

    def wait(self, seconds: float) -> None:
        """Wait for the fetch under way, at most so long."""
        if self.lock.acquire(timeout=seconds):
            self.lock.release()


@dataclass(frozen=True, slots=True)
class Listed:
    """A model under the name by which clients call it."""

    id: str
    provider: str
    model: Model


class Catalog:
    """Lists models. A list is fetched by one thread at a time; an old one is served meanwhile."""

    def __init__(
        self,
        router: Router,
        fetch: Fetch,
        *,
        ttl: float,
        clock: Callable[[], float] = monotonic,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._router = router
        self._fetch = fetch
        self._ttl = ttl
        self._clock = clock
        self._patience = patience
        self._entries = {name: _Entry() for name in router.providers}

    def models(self, provider: Provider) -> list[Model]:
        """Return a provider's models; raises RelayError if they were never fetched."""
        entry = self._entries[provider.name]
        if self._is_fresh(entry):
            return _known(entry)
        if entry.models is not None:
            self._refresh_behind(entry, provider)
            return entry.models
        with entry.lock:
            if not self._is_fresh(entry):
                self._refresh(entry, provider)
        return _known(entry)

    def listed(self, scope: str | None = None) -> list[Listed]:
        """Return all models: bare ids for the default provider, ``provider/id`` for the others.

        A bare id that begins like a provider's name would lead there, so it has its own provider's
        in front as well. A provider that cannot be asked, or takes its time, is left out, unless it
        is the default one. With ``scope`` only that provider's, all bare.
        """
        if scope is not None:
            provider = self._router.providers[scope]
            return [
                _listed(provider, model, prefixed=self._router.named_first(model.id) is provider)
                for model in self.models(provider)
            ]
        default = self._router.default()
        others = [each for each in self._router.providers.values() if each.name != default.name]
        for provider in others:
            if not self._is_fresh(self._entries[provider.name]):
                self._refresh_behind(self._entries[provider.name], provider)
        found = [
            _listed(default, model, prefixed=self._router.named_first(model.id) is not None)
            for model in self.models(default)
        ]
        deadline = monotonic() + self._patience
        for provider in others:
            found += self._listed_of(provider, deadline)
        by_name = {f"{listed.provider}/{listed.model.id}": listed for listed in found}
        by_name |= {listed.id: listed for listed in found}
        return found + [
            Listed(alias, target.provider, target.model)
            for alias, name in self._router.aliases.items()
            if (target := by_name.get(name)) and alias not in by_name
        ]

    def owner_of(self, model: str) -> str | None:
        """Return who has a bare name that the default provider lacks; never fetches."""
        default = self._router.default().name
        if self._at_hand(default, model) is not False:
            return None
        return next((name for name in self._entries if self._at_hand(name, model)), None)

    def find(self, model: str, scope: str | None = None) -> Listed:
        """Return one model by any name it is known under; raises NotFound with near matches."""
        listed = self.listed(scope)
        wanted = model.lower()
        for entry in listed:
            if wanted in (entry.id.lower(), f"{entry.provider}/{entry.model.id}".lower()):
                return Listed(model, entry.provider, entry.model)
        raise unknown_model(model, [entry.id for entry in listed])

    def absence(self, provider: Provider, model: str) -> NotFound | None:
        """Return the error for a model that a provider lists not; None if it does, or lists none.

        For the case that the provider has refused the model, so a fetch may be waited for.
        """
        try:
            known = [listed.id for listed in self.models(provider)]
        except RelayError:
            return None
        return None if model in known else unknown_model(model, known)

    def _at_hand(self, provider: str, model: str) -> bool | None:
        """Tell whether a list that is at hand has ``model``; None without a list."""
        known = self._entries[provider].models
        return None if known is None else any(each.id == model for each in known)

    def _listed_of(self, provider: Provider, deadline: float) -> list[Listed]:
        """Return what is known, waiting for the first fetch only: whoever failed may fail again."""
        entry = self._entries[provider.name]
        if entry.models is None and entry.error is None:
            entry.wait(max(0.0, deadline - monotonic()))
        return [_listed(provider, model, prefixed=True) for model in entry.models or []]

    def _is_fresh(self, entry: _Entry) -> bool:
        ttl = FAILURE_SECONDS if entry.error else self._ttl
        return self._clock() - entry.fetched < ttl

    def _refresh(self, entry: _Entry, provider: Provider) -> None:
        try:
            entry.models, entry.error = self._fetch(provider), None
        except RelayError as error:
            entry.error = error
        entry.fetched = self._clock()

    def _refresh_behind(self, entry: _Entry, provider: Provider) -> None:
        if not entry.lock.acquire(blocking=False):
            return
        try:
            threading.Thread(
                target=self._refresh_and_release, args=(entry, provider), daemon=True
            ).start()
        except RuntimeError:  # no thread is left; somebody else may refresh later
            entry.lock.release()

    def _refresh_and_release(self, entry: _Entry, provider: Provider) -> None:
        try:
            self._refresh(entry, provider)
        finally:
            entry.lock.release()


def _listed(provider: Provider, model: Model, *, prefixed: bool) -> Listed:
    return Listed(f"{provider.name}/{model.id}" if prefixed else model.id, provider.name, model)


def _known(entry: _Entry) -> list[Model]:
    if entry.models is not None:
        return entry.models
    assert entry.error is not None
    # Each request that is told it would otherwise add its frames, and what they hold.
    raise entry.error.with_traceback(None)


def unknown_model(model: str, known: list[str]) -> NotFound:
    """Return the error for a model that there is not, with the nearest that there are."""
    near = difflib.get_close_matches(model, known, n=3, cutoff=0.4) or known[:3]
    hint = f" Did you mean {', '.join(near)}?" if near else ""
    return NotFound(
        f"The model {model[:200]!r} does not exist.{hint}", param="model", code="model_not_found"
    )
