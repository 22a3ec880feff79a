"""A token is read for what it says about itself; garbage says nothing and raises nothing."""

import base64
import json

from hypothesis import given
from hypothesis import strategies as st

from airelays_app.providers.codex.claims import Claims, read_claims
from tests.providers.codex.rotating_issuer import jwt, token

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


def test_reads_account_plan_and_times():
    claims = read_claims(token(account="acc-9"))
    assert claims.account_id == "acc-9"
    assert claims.plan_type == "plus"
    assert claims.email == "owner@example.org"
    assert claims.expires_at is not None
    assert claims.issued_at is not None


def test_email_is_also_found_in_the_profile_claim():
    profile = {"https://api.openai.com/profile": {"email": "a@example.org"}}
    assert read_claims(jwt(**profile)).email == "a@example.org"


@given(st.none() | st.text() | st.text(alphabet="ab._-=", max_size=40))
def test_text_that_is_no_token_says_nothing(text):
    assert read_claims(text) == Claims()


@given(
    st.dictionaries(st.sampled_from(["exp", "iat", "email", "https://api.openai.com/auth"]), _JSON)
)
def test_claims_of_wrong_types_are_not_said(payload):
    claims = read_claims(jwt(**payload))
    assert claims.email is None or isinstance(claims.email, str)
    assert claims.expires_at is None or 0 < claims.expires_at < float("inf")


def test_a_bottomless_payload_is_garbage():
    raw = base64.urlsafe_b64encode(b"[" * 100_000).decode()
    assert read_claims(f"a.{raw}.c") == Claims()
    assert (
        read_claims(f"a.{base64.urlsafe_b64encode(json.dumps([]).encode()).decode()}.c") == Claims()
    )
