"""Which provider answers for which model name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from airelays_app.errors import BadRequest, Unavailable, Unprocessable
from airelays_app.framing.jsontext import is_unicode
from airelays_app.providers.base import Provider

ROUTE_HEADER = "x-airelays-route"
"""The provider and the model that have answered."""

_LONGEST_ROUTE = 256

FindOwner = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request goes: ``model`` is the name the provider knows.

    A ``pinned`` one was asked for at a provider's own address and goes to no other.
    """

    provider: Provider
    model: str
    pinned: bool = False

    @property
    def header(self) -> str:
        """What :data:`ROUTE_HEADER` says of it."""
        return quote(f"{self.provider.name}/{self.model}"[:_LONGEST_ROUTE])


class Router:
    """Resolves aliases, ``provider/model``, names in the catalogue; the rest is the default's.

    ``choose_default`` returns the name of the provider for bare model names; it is asked each
    time, because the owner may log in at any time. ``synonyms`` are further names of providers.
    With ``require_prefix`` a client's name must say its provider, or be an alias. ``find_owner``,
    set once there is a catalogue, returns the provider whose catalogue has a bare name that the
    default's lacks.
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

        Raises Unavailable without any provider, BadRequest for a prefix that must be there,
        Unprocessable for a name that no row or header can hold.
        """
        if not is_unicode(model):
            raise Unprocessable("model must be valid Unicode.", param="model")
        if scope is not None:
            provider = self.providers[scope]
            own = self.named_first(model) is provider
            return Route(provider, _without_prefix(model) if own else model, pinned=True)
        alias = self.aliases.get(model)
        if alias is None and self._require_prefix and model:
            self._refuse_bare(model)
        return self.resolve(alias or model)

    def resolve(self, name: str) -> Route:
        """Return the route of a name that the owner chose: ``provider/model``, or a bare one.

        Raises Unavailable without any provider.
        """
        if provider := self.named_first(name):
            return Route(provider, _without_prefix(name))
        owner = self.find_owner(name)
        return Route(self.providers[owner] if owner else self.default(), name)

    def named(self, name: str) -> Provider | None:
        """Return the provider of that name or synonym."""
        return self.providers.get(name) or self.providers.get(self._synonyms.get(name, ""))

    def named_first(self, model: str) -> Provider | None:
        """Return the provider that a model's name has in front, as in ``provider/model``."""
        prefix, _, rest = model.partition("/")
        return self.named(prefix) if rest else None

    def default(self) -> Provider:
        """Return the provider of bare model names."""
        name = self._choose_default()
        if name not in self.providers:
            missing = (
                f"The default provider {name} is not there" if name else "There is no provider"
            )
            raise Unavailable(f"{missing}. Run: airelays providers list", retry_after=60)
        return self.providers[name]

    def _refuse_bare(self, model: str) -> None:
        if self.named_first(model) is None:
            raise BadRequest(
                f"Name the provider before the model: one of {', '.join(self.providers)}, such as "
                f"{next(iter(self.providers), 'provider')}/{model[:100]}.",
                param="model",
                code="model_prefix_required",
            )


def _without_prefix(model: str) -> str:
    return model.partition("/")[2]


def _nobody(_: str) -> None:
    """There is no catalogue yet."""
