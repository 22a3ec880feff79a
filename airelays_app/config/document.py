"""Write what the table of settings says into the documentation and the example file.

Run ``python -m airelays_app.config.document`` in a source checkout after changing a setting.
"""

import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from airelays_app.config.setting import Setting, plain_number
from airelays_app.config.settings import SECTIONS, TABLE, provider_settings
from airelays_app.config.showing import variable_of
from airelays_app.config.toml_document import toml_value

BEGIN = ".. settings begin (written by python -m airelays_app.config.document)"
END = ".. settings end"
_EXAMPLE_PROVIDER = "box"
_NOTHING: Mapping[str, object] = MappingProxyType({})
_HEAD = """\
# Settings of AIRelays. A line that is commented out shows its default: remove the "# " in front of
# it to change it. "airelays config show" says what holds and where it came from.
"""
_WIDTH = 98


def toml_text(values: Mapping[str, object] = _NOTHING) -> str:
    """Return a configuration file with every setting: ``values`` set, all others commented out.

    ``values`` maps dotted keys to values. Raises ConfigError for text that TOML cannot hold.
    """
    blocks = [_HEAD]
    for section in SECTIONS:
        blocks.append(f"[{section}]\n")
        blocks += [_toml_lines(row, values) for row in _in_file(section)]
    blocks.append(f"# [providers.{_EXAMPLE_PROVIDER}]\n" + "".join(_provider_lines()))
    return "\n".join(blocks)


def settings_rst() -> str:
    """Return the generated part of ``docs/configuration.rst``."""
    blocks = [f"\n{_heading(section)}" + _rst_entries(section) for section in SECTIONS]
    providers = "".join(_rst_entry(row) for row in provider_settings("NAME"))
    return "".join(blocks) + f"\n{_heading('providers.NAME')}" + providers


def replaced(page: str, generated: str, *, begin: str = BEGIN, end: str = END) -> str:
    """Return ``page`` with the part between the marks ``begin`` and ``end`` replaced."""
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{generated}\n{end}{after}"


def write_files(root: Path) -> None:
    """Bring the documentation page and the example file of the checkout at ``root`` up to date."""
    page = root / "docs/configuration.rst"
    page.write_text(replaced(page.read_text(), settings_rst()))
    (root / "config/airelays.example.toml").write_text(toml_text())


def _in_file(section: str) -> Iterator[Setting]:
    return (row for row in TABLE if row.section == section and row.row.in_file)


def _toml_lines(setting: Setting, values: Mapping[str, object]) -> str:
    about = _comment(setting.row.help)
    if setting.key in values:
        return f"{about}{setting.name} = {toml_value(values[setting.key])}\n"
    return f"{about}# {setting.name} = {_toml_default(setting)}\n"


def _provider_lines() -> Iterator[str]:
    for setting in provider_settings(_EXAMPLE_PROVIDER):
        about = _comment(setting.row.help).replace("# ", "#   ")
        yield f"{about}# {setting.name} = {_toml_default(setting)}\n"


def _toml_default(setting: Setting) -> str:
    return toml_value("" if setting.default is None else setting.default)


def _comment(text: str) -> str:
    return "".join(f"# {line}\n" for line in textwrap.wrap(text, _WIDTH - 2))


def _heading(section: str) -> str:
    title = f"[{section}]"
    return f"{title}\n{'-' * len(title)}\n\n"


def _rst_entries(section: str) -> str:
    return "".join(_rst_entry(row) for row in TABLE if row.section == section)


def _rst_entry(setting: Setting) -> str:
    help_lines = textwrap.indent(textwrap.fill(_escaped(setting.row.help), _WIDTH - 4), "    ")
    facts = textwrap.indent(textwrap.fill(_facts(setting) + ".", _WIDTH - 4), "    ")
    return f"``{setting.key}``\n{help_lines}\n\n{facts}\n\n"


def _facts(setting: Setting) -> str:
    row = setting.row
    parts = [f"{setting.kind.label}, default {_default(setting)}"]
    parts += [_bounds(row.minimum, row.maximum)] if row.minimum is not None else []
    parts.append(f"``{variable_of(setting)}``")
    parts += [f"``{row.flag}``"] if row.flag else []
    parts += ["not in the file"] if not row.in_file else []
    parts += (
        ["also from " + ", ".join(f"``{name}``" for name in row.ambient)] if row.ambient else []
    )
    parts.append("takes effect after a restart" if row.restart else "takes effect on reload")
    return "; ".join(parts)


def _default(setting: Setting) -> str:
    if setting.default in (None, "", (), {}):
        return "not set"
    return f"``{toml_value(setting.default)}``"


def _bounds(minimum: float, maximum: float | None) -> str:
    if maximum is None:
        return f"at least {plain_number(minimum)}"
    return f"{plain_number(minimum)} to {plain_number(maximum)}"


def _escaped(text: str) -> str:
    return text.replace("*", r"\*")


if __name__ == "__main__":
    write_files(Path(__file__).parents[2])
