"""Structured output on the subscription: any usual JSON schema is brought into the backend's form.

Every property is required, optional ones may be null instead, nothing further is allowed. What
cannot be brought into it is refused with its place.
"""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airelays_app.errors import Unprocessable
from airelays_app.providers.codex.strict_schema import strict_schema
from airelays_app.sandbox.schema_rules import fault_in

STRING = {"type": "string"}
NULL = {"type": "null"}


def strict(schema):
    return strict_schema(schema, param="schema")


def obj(properties, required=None, **more):
    given = {"type": "object", "properties": properties, **more}
    return given if required is None else {**given, "required": required}


def closed(properties):
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


# An optional property, and what it becomes.
OPTIONAL = {
    "a type": (STRING, {"type": ["string", "null"]}),
    "types": ({"type": ["string", "integer"]}, {"type": ["string", "integer", "null"]}),
    "anyOf": ({"anyOf": [STRING]}, {"anyOf": [STRING, NULL]}),
    "oneOf": ({"oneOf": [STRING]}, {"oneOf": [STRING, NULL]}),
    "a reference": ({"$ref": "#/$defs/x"}, {"anyOf": [{"$ref": "#/$defs/x"}, NULL]}),
    "an enum": ({"enum": ["a", "b"]}, {"anyOf": [{"enum": ["a", "b"]}, NULL]}),
    "an enum of a type": (
        {"type": "string", "enum": ["a"]},
        {"anyOf": [{"type": "string", "enum": ["a"]}, NULL]},
    ),
    "a const": ({"const": 1}, {"anyOf": [{"const": 1}, NULL]}),
    "anything": ({}, {"anyOf": [{}, NULL]}),
    "allOf": ({"allOf": [STRING]}, {"anyOf": [{"allOf": [STRING]}, NULL]}),
    "an array": (
        {"type": "array", "items": STRING},
        {"type": ["array", "null"], "items": STRING},
    ),
    "an object": (obj({"b": STRING}, ["b"]), {**closed({"b": STRING}), "type": ["object", "null"]}),
    "null": (NULL, NULL),
    "null among types": ({"type": ["string", "null"]}, {"type": ["string", "null"]}),
    "null among branches": ({"anyOf": [STRING, NULL]}, {"anyOf": [STRING, NULL]}),
    "null deep in branches": (
        {"anyOf": [STRING, {"oneOf": [NULL]}]},
        {"anyOf": [STRING, {"oneOf": [NULL]}]},
    ),
    "null as a const": ({"const": None}, {"const": None}),
    "null in an enum": ({"enum": ["a", None]}, {"enum": ["a", None]}),
    "a boolean schema": (True, True),
}


@pytest.mark.parametrize("case", OPTIONAL)
def test_an_optional_property_is_required_and_may_be_null(case):
    given, wanted = OPTIONAL[case]

    assert strict(obj({"a": given})) == closed({"a": wanted})
    assert strict(obj({"a": given}, [])) == closed({"a": wanted})


def test_a_required_property_stays_as_it_is():
    assert strict(obj({"a": STRING, "b": {}}, ["a", "b"])) == closed({"a": STRING, "b": {}})


def test_required_lists_the_properties_in_their_order_and_then_what_else_was_required():
    found = strict(obj({"a": STRING, "b": STRING}, ["zz", "b"]))
    assert found["required"] == ["a", "b", "zz"]


@pytest.mark.parametrize("more", [{}, {"additionalProperties": False}], ids=str)
def test_nothing_further_is_allowed(more):
    assert strict(obj({"a": STRING}, ["a"], **more)) == closed({"a": STRING})


@pytest.mark.parametrize("schema", [{"type": "object"}, {"properties": {}}], ids=str)
def test_an_object_without_properties_is_an_empty_one(schema):
    found = strict(schema)
    assert (found["properties"], found["required"]) == ({}, [])
    assert found["additionalProperties"] is False


INNER = obj({"a": STRING}, ["a"])
PLACES = [
    {"properties": {"x": ...}, "required": ["x"], "additionalProperties": False},
    {"$defs": {"x": ...}},
    {"definitions": {"x": ...}},
    {"patternProperties": {"^x": ...}},
    {"items": ...},
    {"items": [...]},
    {"prefixItems": [...]},
    {"contains": ...},
    {"additionalItems": ...},
    {"anyOf": [STRING, ...]},
    {"oneOf": [...]},
    {"allOf": [...]},
    {"if": ..., "then": ..., "else": ...},
    {"not": ...},
    {"anyOf": [{"items": {"anyOf": [...]}}]},
]


def filled(template, schema):
    if template is ...:
        return schema
    if isinstance(template, dict):
        return {name: filled(value, schema) for name, value in template.items()}
    return [filled(value, schema) for value in template] if isinstance(template, list) else template


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_objects_are_found_wherever_they_are(place):
    assert strict(filled(place, INNER)) == filled(place, closed({"a": STRING}))


def test_an_object_that_may_be_null_is_an_object():
    schema = {"type": ["object", "null"], "properties": {"a": STRING}}
    assert strict(schema)["required"] == ["a"]
    assert strict({"type": ["object", "null"]})["additionalProperties"] is False


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"const": {"properties": {"a": STRING}}}, "const"),
        ({"enum": [{"type": "object", "properties": {"a": 1}}]}, "enum"),
        ({"default": {"type": "object"}}, "default"),
        ({"description": "type object", "title": "properties"}, "words"),
        ({"examples": [{"type": "object"}]}, "examples"),
    ],
)
def test_what_is_no_schema_is_left_alone(value, place):
    assert strict(value) == value


def test_a_property_may_have_any_name():
    names = ["type", "properties", "required", "$ref", "items", "anyOf", "a.b", ""]
    assert strict(obj(dict.fromkeys(names, STRING), names)) == closed(dict.fromkeys(names, STRING))


REFUSED = [
    (obj({}, additionalProperties=True), "root", "additionalProperties"),
    (obj({}, additionalProperties=STRING), "root", "additionalProperties"),
    (obj({"a": obj({}, additionalProperties={})}), "properties.a", "additionalProperties"),
    ({"type": "object", "properties": []}, "root", "properties"),
    (obj({}, "a"), "root", "required"),
    (obj({}, [1]), "root", "required"),
    ({"items": [{}, obj({}, True)]}, "items.1", "required"),
    ({"$defs": {"x": {"anyOf": [obj({}, {})]}}}, "$defs.x.anyOf.0", "required"),
]


@pytest.mark.parametrize(("schema", "place", "keyword"), REFUSED, ids=str)
def test_what_cannot_be_brought_into_the_form_is_refused_with_its_place(schema, place, keyword):
    with pytest.raises(Unprocessable) as caught:
        strict(schema)

    assert caught.value.param == "schema"
    assert f"at {place}:" in caught.value.message
    assert keyword in caught.value.message


def test_the_clients_own_schema_is_not_changed():
    given = obj({"a": {"anyOf": [obj({"b": STRING})]}}, [])
    before = copy.deepcopy(given)

    strict(given)

    assert given == before


leaves = st.sampled_from(
    [
        STRING,
        NULL,
        {},
        {"const": None},
        {"enum": [1, None]},
        {"$ref": "#/$defs/x"},
        {"type": "number"},
    ]
)


def _deeper(inner):
    named = st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    return st.one_of(
        named.flatmap(
            lambda properties: st.lists(st.sampled_from(["a", "b", "c", "z"]), max_size=3).map(
                lambda required: obj(properties, required)
            )
        ),
        st.builds(lambda items: {"type": "array", "items": items}, inner),
        st.builds(lambda branches: {"anyOf": branches}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda branches: {"oneOf": branches}, st.lists(inner, min_size=1, max_size=2)),
        st.builds(lambda defs: {"$defs": defs, "type": "string"}, named),
    )


schemas = st.recursive(leaves, _deeper, max_leaves=10)


@given(schemas)
def test_the_backend_takes_whatever_comes_out(schema):
    found = strict(schema)

    assert fault_in(found, strict=True) is None
    assert strict(found) == found, "doing it again changes nothing"
