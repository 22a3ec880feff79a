"""An effort is said in a word that the model knows; every other word than the client's is told."""

import pytest

from airelays_app.neutral.capabilities import Capabilities
from airelays_app.neutral.effort import budget_of_effort, effort_of_budget, effort_word
from airelays_app.neutral.request import Request

LOW_TO_HIGH = Capabilities(efforts=("low", "medium", "high"))


def word(capabilities, **asked):
    losses = []
    return effort_word(Request("m", (), **asked), capabilities, losses), [
        loss.path for loss in losses
    ]


@pytest.mark.parametrize("effort", ["none", "low", "max", "a-word-of-tomorrow"])
def test_without_a_list_every_word_passes(effort):
    assert word(Capabilities(), reasoning_effort=effort) == (effort, [])


@pytest.mark.parametrize(
    ("asked", "said"), [("minimal", "low"), ("none", "low"), ("xhigh", "high"), ("max", "high")]
)
def test_the_nearest_known_word_is_said_and_disclosed(asked, said):
    assert word(LOW_TO_HIGH, reasoning_effort=asked) == (said, ["reasoning_effort"])


def test_of_two_near_words_the_stronger_is_said():
    assert word(Capabilities(efforts=("none", "low")), reasoning_effort="minimal")[0] == "low"


def test_a_word_that_nobody_knows_is_the_upstreams_to_judge():
    assert word(LOW_TO_HIGH, reasoning_effort="extreme") == ("extreme", [])


@pytest.mark.parametrize(
    ("budget", "effort"),
    [(1024, "low"), (4000, "low"), (10_239, "low"), (10_240, "medium"), (31_999, "high")],
)
def test_a_budget_becomes_a_word(budget, effort):
    assert word(Capabilities(), reasoning_budget=budget) == (effort, [])


@pytest.mark.parametrize("effort", ["low", "medium", "high", "xhigh"])
def test_a_word_and_its_budget_are_the_same_effort(effort):
    assert effort_of_budget(budget_of_effort(effort)) == effort


def test_a_model_that_does_not_reason_is_not_asked_to():
    mute = Capabilities(reasoning="none")
    assert word(mute, reasoning_effort="high") == (None, ["reasoning_effort"])
    assert word(mute, reasoning_budget=5000) == (None, ["reasoning_effort"])
    assert word(mute, reasoning_effort="none") == (None, [])
    assert word(mute) == (None, [])
