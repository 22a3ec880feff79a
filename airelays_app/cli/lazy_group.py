"""A group of commands whose modules are imported only when they are needed."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click

from airelays_app.cli.failures import told_to_people
from airelays_app.config.nearest import suggestion


@dataclass(frozen=True, slots=True)
class LazyCommand:
    """``target`` is ``module:name`` below the group's package; ``summary`` its line in the help."""

    target: str
    summary: str


def imported(package: str, target: str) -> Any:
    """Import ``module:name`` below ``package`` now and not before; return what it names."""
    module_name, _, name = target.partition(":")
    return getattr(importlib.import_module(f"{package}.{module_name}"), name)


class LazyGroup(click.Group):
    """A group that knows its commands' names and summaries without importing them."""

    def __init__(
        self,
        *args: Any,
        lazy: Mapping[str, LazyCommand],
        package: str,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._lazy = lazy
        self._package = package

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names in the order of the table."""
        return list(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return a command, None if there is none of that name."""
        lazy = self._lazy.get(cmd_name)
        if lazy is None:
            return None
        command = imported(self._package, lazy.target)
        if not isinstance(command, click.Command):
            raise TypeError(f"{lazy.target} is not a command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that ``args`` begins with; a wrong name gets the nearest right one."""
        if args and args[0] not in self._lazy and not args[0].startswith("-"):
            ctx.fail(f"There is no command {args[0]!r}.{suggestion(args[0], self._lazy)}")
        return super().resolve_command(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands into the help, then the options, which few need."""
        self.format_commands(ctx, formatter)
        click.Command.format_options(self, ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the table into the help."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, lazy.summary) for name, lazy in self._lazy.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what went wrong is told in a sentence, not in a traceback."""
        with told_to_people():
            return super().invoke(ctx)
