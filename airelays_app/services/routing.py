"""Which provider answers for which model name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from airelays_app.errors import BadRequest, Unavailable
from airelays_app.providers.base import Provider

FindOwner = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request goes: ``model`` is the name the provider knows."""

    provider: Provider
    model: str


class Router:
    """Resolves aliases, ``provider/model``, names in the catalogue; the rest is the default's.

    ``choose_default`` returns the name of the provider for bare model names; it is asked each
    time, because the owner may log in at any time. ``synonyms`` are further names of providers.
    With ``require_prefix`` a name must say its provider. ``find_owner``, set once there is a
    catalogue, returns the provider whose catalogue has a bare name that the default's lacks.
    """

    def __init__(
        self,
        providers: Mapping[str, Provider],
        *,
        aliases: Mapping[str, str],
        choose_default: Callable[[], str],
        synonyms: Mapping[str, str] | None = None,
        require_prefix: bool = False,
    ) -> None:
        self.providers = providers
        self.aliases = aliases
        self.find_owner: FindOwner = _nobody
        self._choose_default = choose_default
        self._synonyms = synonyms or {}
        self._require_prefix = require_prefix

    def route(self, model: str, *, scope: str | None = None) -> Route:
        """Return the route of a model name, of the provider ``scope`` if there is one.

        Raises Unavailable without any provider, BadRequest for a prefix that must be there.
        """
        if scope is not None:
            prefix, _, rest = model.partition("/")
            own = bool(rest) and self.named(prefix) is self.providers[scope]
            return Route(self.providers[scope], rest if own else model)
        return self._resolve(self.aliases.get(model, model))

    def named(self, name: str) -> Provider | None:
        """Return the provider of that name or synonym."""
        return self.providers.get(name) or self.providers.get(self._synonyms.get(name, ""))

    def default(self) -> Provider:
        """Return the provider of bare model names."""
        name = self._choose_default()
        if name not in self.providers:
            raise Unavailable("No provider is configured. Run: airelays doctor", retry_after=60)
        return self.providers[name]

    def _resolve(self, model: str) -> Route:
        prefix, _, rest = model.partition("/")
        if rest and (provider := self.named(prefix)):
            return Route(provider, rest)
        if self._require_prefix and model:
            raise BadRequest(
                f"Name the provider before the model: one of {', '.join(self.providers)}, such as "
                f"{next(iter(self.providers), 'provider')}/{model[:100]}.",
                param="model",
                code="model_prefix_required",
            )
        owner = self.find_owner(model)
        return Route(self.providers[owner] if owner else self.default(), model)


def _nobody(_: str) -> None:
    """There is no catalogue yet."""
