"""The words in double brackets with which a prompt steers the sandbox.

``[[say TEXT]]`` ``[[call NAME {json}]]`` ``[[custom NAME input]]`` ``[[reason TEXT]]``
``[[redact TEXT]]`` ``[[refuse TEXT]]`` ``[[annotate URL]]`` ``[[long N]]``
``[[behave NAME args]]``, and ``[[then]]``, which parts what is done at once from what is done
after the next round of tool results.
"""

import json
import re
from dataclasses import dataclass

_OPENING = re.compile(r"\[\[(say|call|custom|reason|redact|refuse|annotate|long|behave|then)\b\s*")
_TOOL = re.compile(r"([^\s\]]+)\s*")


@dataclass(frozen=True, slots=True)
class Directive:
    """``kind`` is the first word, ``name`` the tool or behaviour, ``text`` the rest."""

    kind: str
    text: str
    name: str = ""


def directives_in(prompt: str) -> list[list[Directive]]:
    """Return the directives of ``prompt`` in order, one list per stage; ``[]`` if there is none.

    A ``call`` takes a whole JSON object, brackets included; without one its text is empty (the
    arguments are then made up).
    """
    stages: list[list[Directive]] = [[]]
    position = 0
    while opening := _OPENING.search(prompt, position):
        kind = opening[1]
        read = _read_call if kind == "call" else _read_plain
        directive, position = read(kind, prompt, opening.end())
        if kind == "then":
            stages.append([])
        else:
            stages[-1].append(directive)
    return stages if any(stages) else []


def _read_plain(kind: str, prompt: str, start: int) -> tuple[Directive, int]:
    end = prompt.find("]]", start)
    end = len(prompt) if end < 0 else end
    text = prompt[start:end]
    if kind not in ("custom", "behave"):
        return Directive(kind, text), end + 2
    name, _, rest = text.partition(" ")
    return Directive(kind, rest.strip(), name), end + 2


def _read_call(kind: str, prompt: str, start: int) -> tuple[Directive, int]:
    name = _TOOL.match(prompt, start)
    if not name:
        return _read_plain(kind, prompt, start)
    arguments, end = _object_at(prompt, name.end())
    closing = prompt.find("]]", end)
    return Directive(kind, arguments, name[1]), len(prompt) if closing < 0 else closing + 2


def _object_at(prompt: str, start: int) -> tuple[str, int]:
    try:
        value, end = json.JSONDecoder().raw_decode(prompt, start)
    except ValueError:
        return "", start
    return (prompt[start:end], end) if isinstance(value, dict) else ("", start)
