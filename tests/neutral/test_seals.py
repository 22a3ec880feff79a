"""A packed seal comes back whole, whatever is in it; what is no seal of ours never becomes one.

Only the provider that made a seal gets it back; for everybody else it is dropped and disclosed.
"""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airelays_app.neutral.foreign_seals import without_foreign_seals
from airelays_app.neutral.request import Message, Reasoning, Request, Text
from airelays_app.neutral.seals import PACKED_PREFIX, UNSEALED, Seal, is_packed, opened, pack

texts = st.text(st.characters(codec="utf-8") | st.sampled_from('\ud83d\u2028"\\'), max_size=20)
seals = st.builds(
    Seal,
    st.sampled_from(["responses", "messages", "gemini"]),
    texts,
    st.none() | texts,
    form=texts,
    text=st.none() | texts,
    provider=texts,
)
NATIVE = Seal("messages", "the client's own")
TOKEN68 = set(string.ascii_letters + string.digits + "-_")


@given(seals)
def test_a_packed_seal_comes_back_whole(seal: Seal) -> None:
    packed = pack(seal, provider=seal.provider)
    assert opened(packed, native=NATIVE) == seal
    assert set(packed) <= TOKEN68, "it is legal in every opaque field"


@given(texts)
def test_what_is_not_packed_is_the_clients_own(text: str) -> None:
    assert opened(text, native=NATIVE) is NATIVE
    assert not is_packed(text)


@given(st.text(max_size=40) | st.text("abcdefgQUJD-_=", max_size=40))
def test_a_damaged_seal_is_none(rest: str) -> None:
    assert opened(PACKED_PREFIX + rest, native=NATIVE) is None
    assert opened(UNSEALED, native=NATIVE) is None


@given(seals, st.data())
def test_a_cut_seal_is_none(seal: Seal, data: st.DataObject) -> None:
    packed = pack(seal, provider="p")
    cut = data.draw(st.integers(len(PACKED_PREFIX), len(packed) - 1))
    assert opened(packed[:cut], native=NATIVE) is None


def asked_with(seal: Seal | None) -> Request:
    return Request("m", (Message("assistant", (Reasoning("hm", seal), Text("Hi"))),))


@pytest.mark.parametrize(
    "seal",
    [
        None,
        Seal("messages", "x"),
        Seal("messages", "x", provider="here"),
    ],
)
def test_ones_own_seal_is_kept(seal: Seal | None) -> None:
    request = asked_with(seal)
    assert without_foreign_seals(request, dialect="messages", provider="here") == (request, ())


@pytest.mark.parametrize(
    "seal",
    [
        Seal("responses", "x"),
        Seal("responses", "x", provider="here"),
        Seal("messages", "x", provider="there"),
    ],
)
def test_a_foreign_seal_is_dropped_and_disclosed(seal: Seal) -> None:
    kept, losses = without_foreign_seals(asked_with(seal), dialect="messages", provider="here")
    assert kept == asked_with(None)
    assert [loss.path for loss in losses] == ["reasoning"]
