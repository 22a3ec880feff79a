"""Do the names that the owner has written lead to models that there are?"""

from collections.abc import Iterator

from airelays_app.cli.doctor_checks.situation import Situation
from airelays_app.cli.doctor_checks.verdict import Verdict, passed, skipped, warned
from airelays_app.config import Settings


def model_names(situation: Situation) -> Verdict:
    """Every alias and fallback stands for a model that its provider lists."""
    written = list(_written(situation.settings))
    if not written:
        return skipped("No alias and no fallback is set.")
    problems = [f"{key}: {wrong}" for key, name in written if (wrong := _wrong(situation, name))]
    if problems:
        return warned(" ".join(problems), "Compare the names with: airelays models")
    return passed(f"Aliases and fallbacks lead to models that are listed: {len(written)}.")


def _written(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield each setting that names a model, with the name."""
    aliases = settings.models.aliases
    for alias, name in aliases.items():
        yield f"models.aliases.{alias}", name
    for model, chain in settings.routing.fallbacks.items():
        for name in filter(None, map(str.strip, chain.split(","))):
            yield f"routing.fallbacks.{model}", aliases.get(name, name)


def _wrong(situation: Situation, name: str) -> str | None:
    """Return what is wrong with a name; lists that cannot be read say nothing against it."""
    route = situation.core.router.resolve(name)
    absence = situation.core.catalog.absence(route.provider, route.model)
    return f"{route.provider.name} does not list it. {absence.message}" if absence else None
