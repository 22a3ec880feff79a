"""Credentials of ours that an upstream repeats are hidden, short words and other text stay."""

from airelays_app.neutral.discretion import value_without_secrets, without_secrets

SECRETS = ("sk-own-key-1", "", "short")


def test_every_occurrence_is_hidden_and_nothing_else():
    assert without_secrets("short: Bearer sk-own-key-1", SECRETS) == "short: Bearer [hidden]"
    assert without_secrets("sk-own-key-1sk-own-key-1\u2028", SECRETS) == "[hidden][hidden]\u2028"


def test_a_value_is_searched_through_and_through():
    value = {"sk-own-key-1": [1, None, {"said": "no sk-own-key-1"}], "kept": True}
    assert value_without_secrets(value, SECRETS) == {
        "[hidden]": [1, None, {"said": "no [hidden]"}],
        "kept": True,
    }
