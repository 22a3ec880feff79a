"""Load settings: flags over ``AIRELAYS_*`` over ``AIRELAY_*`` over the TOML file over defaults.

``OPENAI_ENDPOINT_*``, the oldest spelling, comes after ``AIRELAY_*``; variables of the wider
world, such as ``HTTPS_PROXY``, come after the file. A variable that is empty counts as unset.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from airelays_app.config.contradictions import contradictions
from airelays_app.config.locations import (
    DATA_DIR_PLACEHOLDER,
    PREFIXES,
    absolute,
    config_path_of,
    default_data_dir,
    home_of,
)
from airelays_app.config.provider_tables import ProviderTables, provider_tables
from airelays_app.config.sections import Provider
from airelays_app.config.sections.providers import PROVIDER_KINDS
from airelays_app.config.setting import Setting
from airelays_app.config.settings import (
    BY_KEY,
    SECTIONS,
    TABLE,
    Settings,
    Source,
    provider_settings,
)
from airelays_app.config.toml_document import Document, read_document
from airelays_app.config.unknown import unknown_settings
from airelays_app.errors import ConfigError

_NOTHING: Mapping[str, object] = MappingProxyType({})
_DATA_DIR = BY_KEY["paths.data_dir"]


def load_settings(
    flags: Mapping[str, object] = _NOTHING,
    *,
    environ: Mapping[str, str] = os.environ,
    config_path: Path | None = None,
) -> Settings:
    """Return the settings that hold for this process.

    ``flags`` maps dotted keys (``server.port``) to values; None means not given. Raises
    ConfigError, naming every unknown setting and bad value with its origin; so does a
    ``config_path`` (or ``AIRELAYS_CONFIG``) without a file.
    """
    path = config_path_of(environ, config_path)
    required = path is not None and path != config_path_of({"HOME": environ.get("HOME", "")})
    return settings_from(read_document(path, required=required), flags, environ=environ)


def settings_from(
    document: Document,
    flags: Mapping[str, object] = _NOTHING,
    *,
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """Return the settings that hold with ``document`` as the file. Raises ConfigError."""
    given = {key: value for key, value in flags.items() if value is not None}
    variables = {name: text for name, text in environ.items() if text}
    tables = provider_tables(document, given, variables)
    resolution = _Resolution(document, given, variables, tables)
    resolution.problems += tables.problems
    resolution.problems += unknown_settings(document, given, variables, tables)
    settings = resolution.settings()
    problems = resolution.problems or list(contradictions(settings))
    if problems:
        raise ConfigError("\n".join(problems))
    return settings


@dataclass(frozen=True, slots=True)
class _Candidate:
    source: Source
    raw: Any

    def read(self, setting: Setting) -> Any:
        match self.source.kind:
            case "default":
                return self.raw
            case "environment":
                return setting.from_text(self.raw)
            case _:
                return setting.from_object(self.raw)


@dataclass(slots=True)
class _Resolution:
    """One pass over the table; problems are gathered so that all are told at once."""

    document: Document
    flags: Mapping[str, object]
    variables: Mapping[str, str]
    tables: ProviderTables
    problems: list[str] = field(default_factory=list)
    sources: dict[str, Source] = field(default_factory=dict)
    data_dir: Path | None = None

    def settings(self) -> Settings:
        self.data_dir = self._value(_DATA_DIR)
        values = {_DATA_DIR: self.data_dir}
        values |= {setting: self._value(setting) for setting in TABLE if setting is not _DATA_DIR}
        sections = {
            section: declared(**_named(values, section)) for section, declared in SECTIONS.items()
        }
        providers = {name: self._provider(name) for name in self.tables.names}
        return Settings(
            **sections,
            providers=MappingProxyType(providers),
            config_path=self.document.path,
            config_exists=self.document.exists,
            sources=MappingProxyType(self.sources),
        )

    def _provider(self, name: str) -> Provider:
        values = {row.name: self._value(row) for row in provider_settings(name)}
        key = f"providers.{name}"
        if self.sources[f"{key}.kind"].kind == "default" and name in PROVIDER_KINDS:
            values["kind"] = name
        if variable := values["api_key_env"]:
            values["api_key"] = values["api_key"] or self.variables.get(variable, "")
            if not values["api_key"]:
                self.problems.append(f"{key}.api_key_env names {variable}, which is not set")
        return Provider(name=name, **values)

    def _value(self, setting: Setting) -> Any:
        candidate = next(self._candidates(setting))
        self.sources[setting.key] = candidate.source
        try:
            return self._located(candidate.read(setting), candidate.source)
        except ValueError as error:
            self.problems.append(_problem(setting, candidate.source, error))
            return setting.default

    def _candidates(self, setting: Setting) -> Iterator[_Candidate]:
        """Yield what gives the setting a value, the one that wins first."""
        if setting.key in self.flags:
            flag = setting.row.flag or setting.key
            yield _Candidate(Source("flag", flag), self.flags[setting.key])
        yield from self._texts(self.tables.variables.get(setting.key) or _own_variables(setting))
        table = self._table(setting.section)
        if setting.name in table and setting.row.in_file:
            yield _Candidate(Source("file", str(self.document.path)), table[setting.name])
        yield from self._texts(setting.row.ambient)
        yield _Candidate(Source("default"), self._default(setting))

    def _texts(self, names: Iterable[str]) -> Iterator[_Candidate]:
        for name in names:
            if text := self.variables.get(name):
                yield _Candidate(Source("environment", name), text)

    def _table(self, section: str) -> Mapping[str, Any]:
        if section in SECTIONS:
            table = self.document.data.get(section, {})
            return table if isinstance(table, Mapping) else {}
        return self.tables.tables.get(section.removeprefix("providers."), {})

    def _default(self, setting: Setting) -> Any:
        home = home_of(self.variables)
        if setting is _DATA_DIR and home is not None:
            return default_data_dir(home)
        return setting.default

    def _located(self, value: Any, source: Source) -> Any:
        if not isinstance(value, Path):
            return value
        if value.parts[0] == DATA_DIR_PLACEHOLDER:
            if self.data_dir is None:
                raise ValueError(f"cannot be below {DATA_DIR_PLACEHOLDER}")
            return self.data_dir.joinpath(*value.parts[1:])
        in_file = source.kind == "file" and self.document.path is not None
        base = self.document.path.parent if in_file and self.document.path else Path.cwd()
        return absolute(value, base=base, home=home_of(self.variables))


def _named(values: Mapping[Setting, Any], section: str) -> dict[str, Any]:
    return {setting.name: value for setting, value in values.items() if setting.section == section}


def _own_variables(setting: Setting) -> tuple[str, ...]:
    if setting.section not in SECTIONS:
        return ()
    return tuple(prefix + setting.env for prefix in PREFIXES)


def _problem(setting: Setting, source: Source, error: ValueError) -> str:
    match source.kind:
        case "environment" | "flag":
            return f"{source.name} ({setting.key}) {error}"
        case "file":
            return f"{setting.key} {error} (in {source.name})"
        case _:
            return f"{setting.key} {error} ({PREFIXES[0]}{setting.env})"
