"""Which provider answers for which model name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from airelays_app.errors import Unavailable
from airelays_app.providers.base import Provider


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request goes: ``model`` is the name the provider knows."""

    provider: Provider
    model: str


class Router:
    """Resolves ``provider/model``, then aliases, then leaves it to the default provider.

    ``choose_default`` returns the name of the provider for bare model names; it is asked each
    time, because the owner may log in at any time.
    """

    def __init__(
        self,
        providers: Mapping[str, Provider],
        *,
        aliases: Mapping[str, str],
        choose_default: Callable[[], str],
    ) -> None:
        self.providers = providers
        self.aliases = aliases
        self._choose_default = choose_default

    def route(self, model: str) -> Route:
        """Return the route of a model name; raises Unavailable without any provider."""
        return self._resolve(self.aliases.get(model, model))

    def default(self) -> Provider:
        """Return the provider of bare model names."""
        name = self._choose_default()
        if name not in self.providers:
            raise Unavailable("No provider is configured. Run: airelays doctor", retry_after=1)
        return self.providers[name]

    def _resolve(self, model: str) -> Route:
        prefix, _, rest = model.partition("/")
        if rest and prefix in self.providers:
            return Route(self.providers[prefix], rest)
        return Route(self.default(), model)
