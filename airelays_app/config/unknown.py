"""Find what was set but is no setting, so that a typing error never passes silently."""

from collections.abc import Iterator, Mapping
from typing import Any

from airelays_app.config.locations import PREFIXES
from airelays_app.config.nearest import suggestion
from airelays_app.config.provider_tables import ProviderTables
from airelays_app.config.retired import RETIRED
from airelays_app.config.settings import BY_KEY, SECTIONS, TABLE, provider_settings
from airelays_app.config.toml_document import Document

_OWN_PREFIXES = PREFIXES[:2]
_SUFFIXES = frozenset({"CONFIG", *(setting.env for setting in TABLE)})
_RETIRED_SUFFIXES = {retired.env: retired for retired in RETIRED.values() if retired.env}


def unknown_settings(
    document: Document,
    flags: Mapping[str, object],
    variables: Mapping[str, str],
    tables: ProviderTables,
) -> list[str]:
    """Return one sentence for each unknown or retired setting; what may stay is left out."""
    return [
        *_in_flags(flags, tables),
        *_in_environment(variables, tables),
        *_in_file(document, tables),
    ]


def _in_flags(flags: Mapping[str, object], tables: ProviderTables) -> Iterator[str]:
    known = {*BY_KEY, *_provider_keys(tables)}
    for key in flags:
        if key not in known:
            yield f"{key} is not a setting.{suggestion(key, known)}"


def _in_environment(variables: Mapping[str, str], tables: ProviderTables) -> Iterator[str]:
    known = {name for names in tables.variables.values() for name in names}
    known |= {prefix + suffix for prefix in _OWN_PREFIXES for suffix in _SUFFIXES}
    for name, text in sorted(variables.items()):
        prefix = next((each for each in _OWN_PREFIXES if name.startswith(each)), None)
        if prefix is None or name in known:
            continue
        if retired := _RETIRED_SUFFIXES.get(name.removeprefix(prefix)):
            problem = retired.problem(text)
            yield from [f"{name} {problem}"] if problem else []
        else:
            same_prefix = sorted(each for each in known if each.startswith(prefix))
            yield f"{name} is not a setting.{suggestion(name, same_prefix)}"


def _in_file(document: Document, tables: ProviderTables) -> Iterator[str]:
    for section, table in document.data.items():
        if section == "providers":
            continue
        if isinstance(table, Mapping):
            yield from _in_table(document, section, table)
        else:
            yield _unknown(document, section)
    for name, table in tables.retired.items():
        for key, value in table.items():
            yield from _missing(document, f"providers.{name}.{key}", value)
    for name, table in tables.tables.items():
        known = {setting.name for setting in provider_settings(name)}
        for key in sorted(table.keys() - known):
            dotted = f"providers.{name}.{key}"
            yield _unknown(document, dotted, known=_provider_keys(tables))


def _in_table(document: Document, section: str, table: Mapping[str, Any]) -> Iterator[str]:
    if section not in SECTIONS:
        yield f"[{section}] is not a section.{suggestion(section, SECTIONS)} (in {document.path})"
        return
    for name, value in table.items():
        key = f"{section}.{name}"
        setting = BY_KEY.get(key)
        if setting is None:
            yield from _missing(document, key, value)
        elif not setting.row.in_file:
            yield (
                f"{key} must not stand in the file {document.path}: set {PREFIXES[0]}{setting.env},"
                " or put it into the file that security.bearer_token_file names"
            )


def _missing(document: Document, key: str, value: object) -> Iterator[str]:
    retired = RETIRED.get(key)
    if retired is None:
        yield _unknown(document, key)
    elif problem := retired.problem(value):
        yield f"{key} {problem} (in {document.path})"


def _unknown(document: Document, key: str, *, known: set[str] | None = None) -> str:
    names = sorted(known) if known else list(BY_KEY)
    return f"{key} is not a setting.{suggestion(key, names)} (in {document.path})"


def _provider_keys(tables: ProviderTables) -> set[str]:
    return {setting.key for name in tables.names for setting in provider_settings(name)}
