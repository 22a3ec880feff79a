"""Credentials of ours that an upstream repeats are hidden, short words and other text stay."""

from airelays_app.services.discretion import body_without_secrets, without_secrets


def test_every_occurrence_is_hidden_and_nothing_else():
    secrets = ("sk-own-key-1", "", "short")
    assert without_secrets("short: Bearer sk-own-key-1", secrets) == "short: Bearer [hidden]"
    body = "\u00fc sk-own-key-1 sk-own-key-1 \u2028".encode() + b"\xff"
    hidden = "\u00fc [hidden] [hidden] \u2028".encode() + b"\xff"
    assert body_without_secrets(body, secrets) == hidden
