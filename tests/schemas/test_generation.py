"""A schema of the fields that a request has says what the whole schema of its route says."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airelays_app.errors import Unprocessable
from airelays_app.providers.base import FieldRules, Refused
from airelays_app.schemas import generation
from airelays_app.schemas.generation import GenerationSchemas, build_schema, refuse_first

RULES = FieldRules(refused={"seed": Refused("no"), "text.verbosity": Refused("no")})
PROVIDER: Any = SimpleNamespace(name="box", rules=lambda dialect: RULES)
DIALECTS = ["responses", "chat", "completions", "messages", "gemini"]
FIELDS = sorted(
    {name for d in DIALECTS for name in build_schema(d, RULES, refuses_tools=True).fields}
)

bodies = st.dictionaries(
    st.sampled_from([*FIELDS, "unknown"]),
    st.sampled_from(["text", "", 1, 1.5, True, None, [], [{}], {}, {"verbosity": "low"}]),
    max_size=6,
)


def refusal(validate) -> str | None:
    try:
        validate()
    except Unprocessable as error:
        return error.message
    return None


@given(st.sampled_from(DIALECTS), bodies, st.booleans())
def test_only_what_is_there_matters(
    dialect: str, body: dict[str, Any], refuses_tools: bool
) -> None:
    whole = build_schema(dialect, RULES, refuses_tools=refuses_tools)
    schemas = GenerationSchemas()
    expected = refusal(lambda: refuse_first(whole.validate(body)))
    for _ in range(2):
        found = refusal(
            lambda: schemas.validate(
                body, dialect=dialect, provider=PROVIDER, refuses_tools=refuses_tools
            )
        )
        assert found == expected


def test_ever_new_sets_of_fields_cost_no_more_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation, "_MOST_NARROW", 2)
    schemas = GenerationSchemas()
    for name in FIELDS:
        refusal(
            lambda name=name: schemas.validate(
                {name: None}, dialect="chat", provider=PROVIDER, refuses_tools=False
            )
        )
    assert len(schemas._narrow) == 2
