"""Write the tables of routes and parameters into ``docs/http-api.rst``.

Run ``python -m airelays_app.web.document`` in a source checkout after changing one of them.
"""

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from airelays_app.config.document import replaced
from airelays_app.dialects import DIALECTS
from airelays_app.dialects.chat import request_in as chat
from airelays_app.dialects.completions import request_in as completions
from airelays_app.dialects.gemini import request_in as gemini
from airelays_app.dialects.messages import request_in as messages
from airelays_app.dialects.responses import request_in as responses
from airelays_app.framing.jsontext import dumps
from airelays_app.providers.base import FieldRules, Refused
from airelays_app.providers.codex.body import field_rules
from airelays_app.services.continuation import OURS
from airelays_app.web.unsupported import ROUTES

PAGE = "docs/http-api.rst"
_COMMAND = "written by python -m airelays_app.web.document"
_PATHS: Mapping[str, str] = MappingProxyType(
    {
        "responses": "/v1/responses",
        "chat": "/v1/chat/completions",
        "completions": "/v1/completions",
        "messages": "/v1/messages",
        "gemini": "/v1beta/models/{model}:generateContent",
    }
)
_WIDTH = 98
_PLACEHOLDER = re.compile(r"<(?:\w+:)?(\w+)>")


def tables() -> dict[str, str]:
    """Return the generated parts of the page by the word in their marks."""
    return {
        "unsupported": _unsupported(),
        "subscription": "".join(map(_subscription_rules, _PATHS)),
        "translation": _translation_rules(),
    }


def marks(word: str) -> tuple[str, str]:
    """Return the comments between which a generated part stands."""
    return f".. {word} begin ({_COMMAND})", f".. {word} end"


def written(page: str) -> str:
    """Return ``page`` with all its generated parts up to date."""
    for word, generated in tables().items():
        begin, end = marks(word)
        page = replaced(page, generated, begin=begin, end=end)
    return page


def write_page(root: Path) -> None:
    """Bring the page of the checkout at ``root`` up to date."""
    page = root / PAGE
    page.write_text(written(page.read_text()))


def _unsupported() -> str:
    paths_by_subject: dict[str, list[str]] = {}
    for rule, subject in ROUTES.items():
        paths_by_subject.setdefault(subject, []).append(shown_path(rule))
    lines = (
        f"* {subject}: {', '.join(f'``{path}``' for path in paths)}"
        for subject, paths in paths_by_subject.items()
    )
    return "\n" + "\n".join(_wrapped(line, hanging="  ") for line in lines) + "\n"


def shown_path(rule: str) -> str:
    """Return a Flask rule as it is written for people: ``/v1/files/{file_id}``."""
    return _PLACEHOLDER.sub(r"{\1}", rule)


def _subscription_rules(dialect: str) -> str:
    rules = field_rules(dialect, "reject")
    return f"\n``{_PATHS[dialect]}``\n" + "".join(_entries(dialect, rules))


def _entries(dialect: str, rules: FieldRules) -> Iterator[str]:
    yield from _refusals(dialect, rules.refused)
    ignored = ", ".join(f"``{name}``" for name in sorted(rules.ignored.difference(OURS)))
    yield _item(f"left out and disclosed: {ignored}.")


def _refusals(dialect: str, refused: Mapping[str, Refused]) -> Iterator[str]:
    status = DIALECTS[dialect].refuses_with
    for name, rule in sorted(refused.items()):
        yield _item(f"{status}: ``{name}``{_extent(rule)}: {rule.why}.")


def _extent(rule: Refused) -> str:
    if rule.only:
        return f" if it is {_values(rule.only)}"
    return f", unless it is {_values(rule.harmless)}" if rule.harmless else ""


def _values(values: Iterable[Any]) -> str:
    return " or ".join(f"``{dumps(value).decode()}``" for value in values)


def _translation_rules() -> str:
    return "".join(
        f"\n``{_PATHS[dialect]}``\n" + "".join(_refusals(dialect, rules))
        for dialect, rules in _REFUSED_IN_TRANSLATION.items()
    )


def _always(rows: Mapping[str, str]) -> Mapping[str, Refused]:
    return {name: Refused(why) for name, why in rows.items()}


def _unless_harmless(rows: Mapping[str, tuple[tuple[Any, ...], str]]) -> Mapping[str, Refused]:
    return {name: Refused(why, harmless) for name, (harmless, why) in rows.items()}


_REFUSED_IN_TRANSLATION: Mapping[str, Mapping[str, Refused]] = MappingProxyType(
    {
        "responses": _always(responses.CHANGES_THE_MEANING),
        "chat": _unless_harmless(chat.REFUSED),
        "completions": _unless_harmless(completions.REFUSED),
        "messages": _always(messages.CHANGES_THE_MEANING),
        "gemini": _unless_harmless(gemini.REFUSED),
    }
)


def _item(text: str) -> str:
    return textwrap.indent(_wrapped(f"* {text}", hanging="  "), "    ") + "\n"


def _wrapped(text: str, *, hanging: str) -> str:
    return textwrap.fill(
        text,
        _WIDTH - 4,
        subsequent_indent=hanging,
        break_on_hyphens=False,
        break_long_words=False,
    )


if __name__ == "__main__":
    write_page(Path(__file__).parents[2])
