"""What is synthesised for a schema is valid for it: right types, all properties, within bounds,
and recursion ends.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airelays_app.sandbox.schema_rules import fault_in
from airelays_app.sandbox.synthesis import synthesise

LEAVES = st.one_of(
    st.just({"type": "string"}),
    st.just({"type": "boolean"}),
    st.just({"type": "null"}),
    st.builds(lambda low: {"type": "integer", "minimum": low, "maximum": low + 3}, st.integers()),
    st.builds(lambda low, more: _bounded(low, low + more), st.integers(0, 9), st.integers(0, 9)),
    st.builds(lambda values: {"enum": values}, st.lists(st.text(), min_size=1)),
)


def _bounded(least, most):
    return {"type": "string", "minLength": least, "maxLength": most}


def _object(properties):
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(_object, st.dictionaries(st.text(), inner, max_size=4)),
        st.builds(
            lambda items, least: {"type": "array", "items": items, "minItems": least},
            inner,
            st.integers(0, 3),
        ),
        st.builds(lambda options: {"anyOf": options}, st.lists(inner, min_size=1, max_size=3)),
    ),
    max_leaves=12,
)


def is_valid(value, schema):
    """A validator of just the keywords above, written apart from the code under test."""
    if "anyOf" in schema:
        return any(is_valid(value, option) for option in schema["anyOf"])
    if "enum" in schema:
        return value in schema["enum"]
    return {
        "string": lambda: (
            isinstance(value, str)
            and schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", 10**6)
        ),
        "boolean": lambda: isinstance(value, bool),
        "null": lambda: value is None,
        "integer": lambda: schema["minimum"] <= value <= schema["maximum"],
        "object": lambda: (
            value.keys() == schema["properties"].keys()
            and all(is_valid(value[name], part) for name, part in schema["properties"].items())
        ),
        "array": lambda: (
            len(value) >= schema["minItems"]
            and all(is_valid(item, schema["items"]) for item in value)
        ),
    }[schema["type"]]()


@given(SCHEMAS)
def test_synthesised_values_are_valid(schema):
    assert is_valid(synthesise(schema), schema)


@given(SCHEMAS)
def test_schemas_with_closed_objects_are_strict(schema):
    assert fault_in(schema, strict=True) is None


def test_references_are_followed_and_recursion_ends():
    node = _object(
        {
            "label": {"type": "string"},
            "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
        }
    )
    value = synthesise({"$ref": "#/$defs/node", "$defs": {"node": node}})
    depth = 0
    while value is not None:
        assert value["label"] == "label"
        value = value["next"]
        depth += 1
    assert depth > 1


def test_a_list_of_itself_ends():
    tree = _object({"children": {"type": "array", "items": {"$ref": "#"}}})
    value = synthesise(tree)
    while value["children"]:
        value = value["children"][0]
    assert value == {"children": []}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer", "multipleOf": 7, "minimum": 8}, 14),
        ({"type": "number", "exclusiveMinimum": 2}, 2.5),
        ({"type": "integer", "exclusiveMinimum": 2}, 3),
        ({"type": "integer", "maximum": -4}, -4),
        ({"type": "integer", "exclusiveMaximum": -4}, -5),
        ({"type": "number", "minimum": 0.25, "maximum": 0.5}, 0.25),
        ({"type": ["string", "null"]}, "value"),
        ({"const": 5}, 5),
        (
            {
                "allOf": [
                    {"type": "object", "properties": {"a": {"const": 1}}},
                    {"properties": {"b": {"const": 2}}},
                ]
            },
            {"a": 1, "b": 2},
        ),
        ({"type": "string", "format": "date"}, "2026-11-22"),
        ({"type": "array", "prefixItems": [{"const": 1}, {"const": 2}], "items": False}, [1, 2]),
        ({}, "value"),
        (True, "value"),
    ],
)
def test_particular_schemas(schema, value):
    assert synthesise(schema) == value


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        ({"type": "object", "properties": {}}, "()"),
        ({"properties": {"a": {"type": []}}}, "()"),
        ({"anyOf": [{"minItems": "1"}]}, "('anyOf', '0')"),
        (_object({"a": {"type": "object"}}), "('properties', 'a')"),
        ({"anyOf": [{"type": "string"}, {"type": "object"}]}, "('anyOf', '1')"),
        ({"type": "array", "items": {"properties": {}}}, "('items',)"),
        ({"$defs": {"d": {"type": ["object", "null"]}}}, "('$defs', 'd')"),
    ],
)
def test_the_place_of_a_strict_fault_is_named(schema, place):
    assert f"context={place}," in fault_in(schema, strict=True)
