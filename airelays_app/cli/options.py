"""Options that several commands share, made from the table of settings.

An option may stand before or after the command. What is given is remembered in the one
:class:`Invocation` of the run and the later one wins; what is not given changes nothing.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import click

from airelays_app.config import Settings, load_settings
from airelays_app.config.settings import BY_KEY

_Command = TypeVar("_Command", bound=Callable[..., Any])

SHARED_SETTINGS = (
    "paths.data_dir",
    "paths.logs_dir",
    "auth.storage",
    "security.bearer_token_file",
)


@dataclass(slots=True)
class Invocation:
    """What the command line said. ``flags`` has dotted keys; ``as_json`` asks for JSON output."""

    flags: dict[str, object] = field(default_factory=dict)
    config_path: Path | None = None
    as_json: bool = False
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def settings(self) -> Settings:
        """Load the settings that hold for this run. Raises ConfigError."""
        return load_settings(self.flags, environ=self.environ, config_path=self.config_path)


pass_invocation = click.make_pass_decorator(Invocation, ensure=True)
"""Give a command its :class:`Invocation` as first argument."""


class SharedOption(click.Option):
    """An option of every command, which is explained once: in the help of ``airelays``."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the option and its explanation, or where that is."""
        record = super().get_help_record(ctx)
        if record is None or ctx.parent is None:
            return record
        return record[0], "See airelays --help."


def setting_options(
    *keys: str, cls: type[click.Option] = click.Option
) -> Callable[[_Command], _Command]:
    """Give a command the flags of these settings; values go into ``Invocation.flags``."""

    def decorate(command: _Command) -> _Command:
        for key in reversed(keys):
            command = _setting_option(key, cls=cls)(command)
        return command

    return decorate


def shared_options(command: _Command) -> _Command:
    """Give a command ``--config`` and the flags of the settings that every command knows."""
    with_settings = setting_options(*SHARED_SETTINGS, cls=SharedOption)(command)
    return click.option(
        "--config",
        cls=SharedOption,
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="The configuration file to use instead of ~/.config/airelays/config.toml.",
        expose_value=False,
        callback=_remember_config,
    )(with_settings)


def json_option(command: _Command) -> _Command:
    """Give a command ``--json``."""
    return click.option(
        "--json",
        "as_json",
        is_flag=True,
        help="Print JSON for programs instead of text for people.",
        expose_value=False,
        callback=_remember_json,
    )(command)


def _setting_option(key: str, *, cls: type[click.Option]) -> Callable[[_Command], _Command]:
    setting = BY_KEY[key]
    flag = setting.row.flag
    if flag is None:
        raise LookupError(f"{key} has no flag")

    def remember(context: click.Context, _: click.Parameter, value: object) -> None:
        if value is None or (setting.row.flag_sets is not None and not value):
            return
        given = value if setting.row.flag_sets is None else setting.row.flag_sets
        context.ensure_object(Invocation).flags[key] = given

    return click.option(
        flag,
        setting.env.lower(),
        cls=cls,
        is_flag=setting.row.flag_sets is not None,
        type=None if setting.row.flag_sets is not None else _type_of(setting.kind.label),
        metavar=_METAVARS.get(setting.kind.label),
        help=setting.row.help,
        expose_value=False,
        callback=remember,
    )


_METAVARS = {"path": "PATH", "integer": "NUMBER", "text": "TEXT"}


def _type_of(label: str) -> Any:
    if label == "integer":
        return int
    return click.Choice(label.split(" | ")) if " | " in label else str


def _remember_config(context: click.Context, _: click.Parameter, value: Path | None) -> None:
    if value is not None:
        context.ensure_object(Invocation).config_path = value


def _remember_json(context: click.Context, _: click.Parameter, value: bool) -> None:  # noqa: FBT001
    if value:
        context.ensure_object(Invocation).as_json = True
