"""Which ``[providers.NAME]`` tables there are, and which variables speak about them.

``AIRELAYS_PROVIDERS_MY_BOX_API_KEY`` speaks about the provider ``my-box``, ``my_box`` or
``my.box``, whichever the file has; if it has none, it makes ``my-box``.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from airelays_app.config.locations import PREFIXES
from airelays_app.config.retired import RETIRED
from airelays_app.config.sections.providers import check_provider_name
from airelays_app.config.settings import provider_settings
from airelays_app.config.toml_document import Document

_GROUP = "PROVIDERS_"
_BY_SUFFIX = {f"_{setting.env}": setting.name for setting in provider_settings("NAME")}
_LONGEST_FIRST = sorted(_BY_SUFFIX, key=len, reverse=True)
_NOT_IN_VARIABLES = re.compile(r"[^A-Z0-9]")


@dataclass(slots=True)
class ProviderTables:
    """The providers' tables by name, and for each dotted key the variables that set it.

    ``retired`` are tables that say nothing but what an earlier version understood.
    """

    tables: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    variables: dict[str, tuple[str, ...]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    retired: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The providers' names, those of the file first."""
        return tuple(self.tables)


def provider_tables(
    document: Document, flags: Mapping[str, object], variables: Mapping[str, str]
) -> ProviderTables:
    """Gather the providers of the file, the flags and the environment."""
    found = ProviderTables()
    for name, table in _file_tables(document, found.problems).items():
        if table and all(f"providers.{name}.{key}" in RETIRED for key in table):
            found.retired[name] = table
        else:
            _add(found, name, table)
    for key in flags:
        if key.startswith("providers."):
            _add(found, key.removeprefix("providers.").rpartition(".")[0], {})
    for prefix in PREFIXES:
        _add_variables(found, prefix + _GROUP, variables)
    return found


def _file_tables(document: Document, problems: list[str]) -> Mapping[str, Mapping[str, Any]]:
    tables = document.data.get("providers", {})
    if not isinstance(tables, Mapping):
        problems.append(f"providers must be tables such as [providers.box] (in {document.path})")
        return {}
    wrong = [name for name, table in tables.items() if not isinstance(table, Mapping)]
    problems += [f"providers.{name} must be a table (in {document.path})" for name in wrong]
    return {name: table for name, table in tables.items() if name not in wrong}


def _add(found: ProviderTables, name: str, table: Mapping[str, Any]) -> None:
    if name in found.tables:
        return
    try:
        check_provider_name(name)
    except ValueError as error:
        found.problems.append(f"providers.{name} {error}")
        return
    found.tables[name] = table


def _add_variables(found: ProviderTables, group: str, variables: Iterable[str]) -> None:
    for variable in sorted(variables):
        if not variable.startswith(group):
            continue
        stem, setting = _split(variable.removeprefix(group))
        if not setting:
            continue
        for name in _names_for(found, stem) or [stem]:
            key = f"providers.{name}.{setting}"
            found.variables[key] = (*found.variables.get(key, ()), variable)


def _split(rest: str) -> tuple[str, str]:
    """Return the provider's part of a variable and the setting's name, empty if there is none."""
    for suffix in _LONGEST_FIRST:
        if rest.endswith(suffix) and len(rest) > len(suffix):
            return rest.removesuffix(suffix), _BY_SUFFIX[suffix]
    return rest, ""


def _names_for(found: ProviderTables, stem: str) -> list[str]:
    known = [name for name in found.names if _NOT_IN_VARIABLES.sub("_", name.upper()) == stem]
    if known:
        return known
    name = stem.lower().replace("_", "-")
    _add(found, name, {})
    return [name] if name in found.tables else []
