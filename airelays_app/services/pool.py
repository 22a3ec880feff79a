"""Which account answers next: healthy ones first, and who takes over when one fails.

An account whose quota is used up, whose login is dead or whose server is down is *benched*: the
others are asked instead. Where limits are of one model each, so is the bench. It is not believed to
its end: every minute one request is let through to the benched account first, and if it succeeds
the bench is over. Where there is nobody else, nothing is ever held back.
"""

import hashlib
import random
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from time import monotonic
from typing import TypeVar

from airelays_app.errors import (
    FailureKind,
    RelayError,
    Unavailable,
    UpstreamError,
    UpstreamLoginError,
    UpstreamRefused,
)
from airelays_app.neutral.failure import failure_of
from airelays_app.providers.base import Provider
from airelays_app.services.routing import Route, Router
from airelays_app.store.benches import Bench, Benches, BenchKind, is_due

PROBE_SECONDS = 60.0
"""How often a benched account is tried again before its bench ends."""

_LOOK_SECONDS = 1.0
_BENCH_SECONDS: Mapping[BenchKind, float] = {"limit": 300.0, "dead": 300.0, "outage": 30.0}
_LONGEST_SECONDS = 8 * 86400.0
_KINDS: Mapping[FailureKind, BenchKind] = {"limit": "limit", "auth": "dead", "other": "outage"}

_ACCOUNT_STATUSES = frozenset({401, 402, 403})
"""What these answers tell is true of the whole account, whatever the model."""

Key = tuple[str, str]
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Fallbacks:
    """Models to go on with, by the model asked for; ``*`` stands for any other."""

    by_model: Mapping[str, tuple[str, ...]]

    @classmethod
    def parse(cls, table: Mapping[str, str], aliases: Mapping[str, str]) -> "Fallbacks":
        """Read ``{"gpt-5.5": "box/small, local/smol"}``; an alias stands for its model."""
        return cls(
            {
                aliases.get(model, model): tuple(
                    name.strip() for name in chain.split(",") if name.strip()
                )
                for model, chain in table.items()
            }
        )

    def of(self, route: Route) -> tuple[str, ...]:
        """Return the models behind that of ``route``, in their order."""
        names = (f"{route.provider.name}/{route.model}", route.model, "*")
        return next((self.by_model[name] for name in names if name in self.by_model), ())


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody to ask; ``benches`` is what was held against it when it was chosen."""

    route: Route
    benches: tuple[Bench, ...] = ()

    @property
    def bench(self) -> Bench | None:
        """Return the longest one."""
        return max(self.benches, key=lambda bench: bench.until, default=None)


class Pool:
    """The accounts of all providers and their health."""

    def __init__(
        self,
        accounts: Mapping[str, Sequence[Provider]],
        *,
        benches: Benches,
        router: Router,
        fallbacks: Fallbacks,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._accounts = accounts
        self._benches = benches
        self._router = router
        self._fallbacks = fallbacks
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: Mapping[Key, tuple[Bench, ...]] = {}
        self._look_at = 0.0

    def ask(
        self,
        route: Route,
        attempt: Callable[[Route], _T],
        *,
        sticky: str | None = None,
        fallbacks: bool = True,
    ) -> _T:
        """Return what ``attempt`` returns for the first one that answers.

        A mistake of the client is raised at once. Otherwise what is raised is what went wrong
        with the model that was asked for, best at an account that was thought to be well.
        """
        problems: list[tuple[bool, bool, RelayError]] = []
        for candidate in self.candidates(route, sticky, fallbacks=fallbacks):
            is_fallback = _model(candidate.route) != _model(route)
            try:
                answer = attempt(candidate.route)
            except RelayError as error:
                if not self.failed(candidate, error) and not is_fallback:
                    raise
                problems.append((is_fallback, bool(candidate.benches), error))
                continue
            self.succeeded(candidate)
            return answer
        raise min(problems, key=lambda problem: problem[:2])[2]

    def candidates(
        self, route: Route, sticky: str | None, *, fallbacks: bool = True
    ) -> list[Candidate]:
        """Return whom to ask, one after the other; never empty.

        ``sticky`` names what should stay with one account: a conversation, a prompt cache.
        Without ``fallbacks`` only the accounts of the route's own provider are asked.
        """
        chain = self._chain(route) if fallbacks else [route]
        if len(chain) == 1 and len(self._accounts[route.provider.name]) == 1:
            return [Candidate(route)]
        health = self.health()
        found = [
            [
                _candidate(replace(link, provider=account), health)
                for account in self._ordered(link.provider.name, sticky)
            ]
            for link in chain
        ]
        return self._healthy_first(found)

    def failed(self, candidate: Candidate, error: RelayError) -> bool:
        """Note a failure; tell whether another account may do better."""
        if isinstance(error, Unavailable):
            return True  # of this machine: nothing to hold against an account
        kind = _KINDS.get(_kind_of(error))
        if kind is None or not isinstance(error, UpstreamError | UpstreamLoginError):
            return False
        if not self._stands_alone(candidate.route.provider):
            self._bench(candidate.route, kind, error)
        return True

    def succeeded(self, candidate: Candidate) -> None:
        """Note a success: what was held against the account and this model is over.

        What has been held against them since they were asked is newer than this success, and
        stays, and so does what is held against other models.
        """
        for bench in candidate.benches:
            with suppress(Unavailable):
                self._benches.release(bench)
            self._forget()

    def health(self) -> Mapping[Key, tuple[Bench, ...]]:
        """Return the benches by provider and account."""
        self._look()
        return self._seen

    def now(self) -> float:
        """Return the moment by the clock of the benches."""
        return self._benches.clock()

    def _chain(self, route: Route) -> list[Route]:
        """Return the models to ask for, each once; a pinned route stays at its provider."""
        links = {_model(route): route}
        for name in self._fallbacks.of(route):
            link = self._router.resolve(name)
            if not route.pinned or link.provider is route.provider:
                links.setdefault(_model(link), link)
        return list(links.values())

    def _stands_alone(self, account: Provider) -> bool:
        alone = len(self._accounts[account.name]) == 1
        return alone and not self._fallbacks.by_model

    def _ordered(self, provider: str, sticky: str | None) -> list[Provider]:
        """Return a provider's accounts: always the same order for one key, else any."""
        accounts = list(self._accounts[provider])
        if sticky is None:
            random.shuffle(accounts)  # a fair spread needs no memory, and none is shared
            return accounts
        return sorted(accounts, key=lambda account: _weight(sticky, account), reverse=True)

    def _healthy_first(self, links: list[list[Candidate]]) -> list[Candidate]:
        """Return those who are well, model by model, and then the others, the soonest first.

        In front of them is a benched account whose turn it is to be tried, if it is one of the
        first model for which somebody is asked.
        """
        first: list[Candidate] = []
        for link in links:
            if not first:
                first += self._probe(link)
            first += [each for each in link if not each.benches]
        others = [each for link in links for each in link if each not in first]
        return [*first, *sorted(others, key=_until)]

    def _probe(self, link: list[Candidate]) -> list[Candidate]:
        benched = [(each.bench, each) for each in link if each.bench]
        return [each for bench, each in benched[:1] if self._may_probe(bench)]

    def _may_probe(self, bench: Bench) -> bool:
        if not is_due(bench, self._benches.clock(), probe_after=PROBE_SECONDS):
            return False
        try:
            return self._benches.claim_probe(bench, probe_after=PROBE_SECONDS)
        except Unavailable:
            return False
        finally:
            self._forget()

    def _bench(self, route: Route, kind: BenchKind, error: RelayError) -> None:
        seconds = _seconds_of(error) or _BENCH_SECONDS[kind]
        model = route.model if _is_of_model(route.provider, error) else ""
        with suppress(Unavailable):  # the next failure will tell again
            self._benches.extend(
                *_key(route.provider), model, kind=kind, seconds=seconds, probe_after=PROBE_SECONDS
            )
        self._forget()

    def _look(self) -> None:
        """Read the benches, at most once a second in one process."""
        with self._lock:
            if self._clock() < self._look_at:
                return
            with suppress(Unavailable):  # without storage everybody is believed to be well
                self._seen = _by_key(self._benches.held())
            self._look_at = self._clock() + _LOOK_SECONDS

    def _forget(self) -> None:
        self._look_at = 0.0


def _kind_of(error: RelayError) -> FailureKind:
    return "auth" if isinstance(error, UpstreamLoginError) else failure_of(error).kind


def _is_of_model(provider: Provider, error: RelayError) -> bool:
    """Tell whether the account may well answer for its other models."""
    is_answer = isinstance(error, UpstreamRefused) and error.status not in _ACCOUNT_STATUSES
    return provider.limits_per_model and is_answer


def _seconds_of(error: RelayError) -> float:
    """Return how long the upstream wants to be left alone; 0 if it has not said."""
    if isinstance(error, UpstreamLoginError):
        return 0.0  # its Retry-After is for the client
    return min(float(failure_of(error).retry_after or 0), _LONGEST_SECONDS)


def _model(route: Route) -> tuple[str, str]:
    return route.provider.name, route.model


def _until(candidate: Candidate) -> float:
    return candidate.bench.until if candidate.bench else 0.0


def _key(account: Provider) -> Key:
    return account.name, account.account


def _by_key(benches: Iterable[Bench]) -> Mapping[Key, tuple[Bench, ...]]:
    found: dict[Key, tuple[Bench, ...]] = {}
    for bench in benches:
        key = (bench.provider, bench.account)
        found[key] = (*found.get(key, ()), bench)
    return found


def _candidate(route: Route, health: Mapping[Key, tuple[Bench, ...]]) -> Candidate:
    held = health.get(_key(route.provider), ())
    return Candidate(route, tuple(each for each in held if each.model in ("", route.model)))


def _weight(sticky: str, account: Provider) -> bytes:
    """Rendezvous hashing: losing an account moves only those who were with it."""
    return hashlib.sha256(f"{sticky}\0{account.name}\0{account.account}".encode()).digest()
