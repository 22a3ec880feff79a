"""One row of the table of settings, declared as metadata of a section's dataclass field.

A section is a frozen dataclass whose fields read
``port: int = field(default=8080, metadata=row("PORT", "The port ..."))``: the annotation gives
the type, the default is the default, and :func:`row` says everything else. mypy therefore knows
every setting, and the environment names, flags, bounds, documentation and errors come from the
same line.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any, get_type_hints

from airelays_app.config.values import Kind, kind_of

_ROW = "airelays row"


@dataclass(frozen=True, slots=True)
class Row:
    """What a field's declaration cannot say by itself. See :func:`row`."""

    env: str
    help: str
    flag: str | None
    flag_sets: bool | None
    minimum: float | None
    maximum: float | None
    check: Callable[[Any], None] | None
    secret: bool
    restart: bool
    in_file: bool
    ambient: tuple[str, ...]
    superseded: tuple[object, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """A setting: ``key`` is its dotted TOML name, ``env`` the suffix of its variables."""

    section: str
    name: str
    kind: Kind
    default: Any
    row: Row

    @property
    def key(self) -> str:
        """The dotted TOML name, such as ``server.port``."""
        return f"{self.section}.{self.name}"

    @property
    def env(self) -> str:
        """The variable without its prefix, such as ``PORT``."""
        return self.row.env

    def from_object(self, value: object) -> Any:
        """Return the value that a file or a caller gave; ValueError says what it must be."""
        return self._checked(self.kind.from_object(value))

    def from_text(self, text: str) -> Any:
        """Return the value that a variable gave; ValueError says what it must be."""
        return self._checked(self.kind.from_text(text))

    def _checked(self, value: Any) -> Any:
        if value in self.row.superseded:
            return self.default
        if self.row.minimum is not None and value < self.row.minimum:
            raise ValueError(f"must be at least {plain_number(self.row.minimum)}")
        if self.row.maximum is not None and value > self.row.maximum:
            raise ValueError(f"must be at most {plain_number(self.row.maximum)}")
        if self.row.check is not None:
            self.row.check(value)
        return value


def row(
    env: str,
    help: str,  # noqa: A002 - the word every option parser uses
    *,
    flag: str | None = None,
    flag_sets: bool | None = None,
    minimum: float | None = None,
    maximum: float | None = None,
    check: Callable[[Any], None] | None = None,
    secret: bool = False,
    restart: bool = False,
    in_file: bool = True,
    ambient: tuple[str, ...] = (),
    superseded: tuple[object, ...] = (),
) -> Mapping[str, Row]:
    """Declare a setting as the metadata of its field.

    ``env`` is the variable without prefix; ``help`` one or two sentences that say why one would
    change it; ``flag_sets`` the value that the bare flag stands for; ``check`` raises ValueError
    for a malformed value; ``secret`` hides the value wherever settings are shown; ``restart``
    means a reload does not apply it; ``in_file=False`` keeps it out of the TOML file; ``ambient``
    are variables of the wider world that are asked when neither we nor the file say anything;
    ``superseded`` are values that earlier versions wrote into files by themselves and that now
    mean the default.
    """
    about = Row(
        env=env,
        help=help,
        flag=flag,
        flag_sets=flag_sets,
        minimum=minimum,
        maximum=maximum,
        check=check,
        secret=secret,
        restart=restart,
        in_file=in_file,
        ambient=ambient,
        superseded=superseded,
    )
    return {_ROW: about}


def settings_of(section: str, declared: type) -> tuple[Setting, ...]:
    """Return the settings that a section's dataclass declares, in order."""
    hints = get_type_hints(declared)
    return tuple(
        Setting(
            section, field.name, kind_of(hints[field.name]), _default(field), field.metadata[_ROW]
        )
        for field in fields(declared)
        if _ROW in field.metadata
    )


def plain_number(number: float) -> str:
    """Return a bound for people: ``65535``, not ``65535.0`` or ``6.5e+04``."""
    return str(int(number)) if number == int(number) else str(number)


def _default(field: Field[Any]) -> Any:
    if field.default_factory is not MISSING:
        return field.default_factory()
    return field.default
