"""JSON text: what orjson refuses or rounds is read exactly, and depth is bounded."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airelays_app.framing.jsontext import MAX_DEPTH, JsonTextError, dumps, loads, repeated_name

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(values)
def test_values_survive_a_round_trip(value: object) -> None:
    assert loads(dumps(value)) == value


@pytest.mark.parametrize("number", [2**64, -(2**70), 10**40])
def test_long_integers_keep_every_digit(number: int) -> None:
    assert loads(b'{"n": %d}' % number) == {"n": number}
    assert loads(b'["no digits before",%d]' % number) == ["no digits before", number]


def test_half_an_emoji_survives() -> None:
    assert loads(rb'"\ud83d"') == "\ud83d"
    assert json.loads(dumps({"delta": "\ud83d"})) == {"delta": "\ud83d"}


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 5_000, 100_000])
def test_deep_nesting_is_refused(opening: bytes, depth: int) -> None:
    closing = b"]" if opening == b"[" else b"}"
    with pytest.raises(JsonTextError, match="deep"):
        loads(opening * depth + b"1" + closing * depth)


def test_wide_is_not_deep() -> None:
    assert len(loads(b"[" + b"[],{}," * 10_000 + b"1]")) == 20_001
    assert loads(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"{'a': 1}", b"[1,]", b"NaN", b"[Infinity]", b"1e400", b"\xff", b'"\xed\xa0\x80"'],
)
def test_what_is_not_json_is_refused(text: bytes) -> None:
    with pytest.raises(JsonTextError):
        loads(text)


@pytest.mark.parametrize("digits", [4_301, 100_000])
def test_a_number_that_python_cannot_read_is_refused_in_plain_words(digits: int) -> None:
    with pytest.raises(JsonTextError, match="too many digits"):
        loads(b'{"n": ' + b"9" * digits + b"}")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (b"{}", None),
        (b'{"a": 1, "b": 2}', None),
        (b'{"a": {"b": 1, "b": 2}, "b": [{"c": 1, "c": 2}]}', None),
        (b'{"a": 1, "b": 2, "a": 1}', "a"),
        (rb'{"a": {}, "\u0061": {}}', "a"),
        ('{"é": 1, "\\u00e9": 2}'.encode(), "é"),
        (rb'{"\ud83d": 1, "\ud83d": 2}', "\ud83d"),
        (b'{"": 1, "": 2}', ""),
    ],
)
def test_a_name_that_comes_twice_is_found_at_the_top_only(text: bytes, name: str | None) -> None:
    assert repeated_name(text, loads(text)) == name


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 9)), max_size=5))
def test_a_name_that_comes_twice_is_found_in_compact_text_too(pairs: list[tuple[str, int]]) -> None:
    text = b"{%b}" % b",".join(b'"%b":%d' % (name.encode(), number) for name, number in pairs)
    found = repeated_name(text, loads(text))
    assert (found is None) == (len(dict(pairs)) == len(pairs))
