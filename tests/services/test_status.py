"""What to do next follows from what is missing, and a page for everybody names nobody."""

import pytest

from airelays_app.config import load_settings
from airelays_app.services.status import Readiness, auth_summary, next_steps
from airelays_app.services.steps import PROBLEM_STEPS

READY = {"kind": "compatible", "ready": True, "problem": None}


def broken(problem):
    return {"kind": "x", "ready": False, "problem": problem}


@pytest.mark.parametrize("problem", PROBLEM_STEPS)
def test_each_problem_has_its_step(problem):
    assert next_steps({"a": broken(problem)}, has_token=True) == [PROBLEM_STEPS[problem]]


def test_an_unknown_problem_points_to_doctor():
    assert "airelays doctor" in next_steps({"a": broken("new")}, has_token=True)[0]


def test_nothing_is_to_be_done_when_all_is_well():
    assert next_steps({"a": READY}, has_token=True) == []


@pytest.mark.parametrize("problem", ["missing", "not_installed"])
def test_a_provider_that_is_not_used_is_not_nagged_about(problem):
    assert next_steps({"a": READY, "b": broken(problem)}, has_token=True) == []


def test_a_broken_login_is_told_although_another_provider_is_ready():
    steps = next_steps({"a": READY, "b": broken("refresh_failed")}, has_token=True)
    assert steps == [PROBLEM_STEPS["refresh_failed"]]


def test_the_token_comes_first_and_one_way_out_is_enough():
    steps = next_steps({"a": broken("missing"), "b": broken("not_installed")}, has_token=False)
    assert len(steps) == 2
    assert "airelays init" in steps[0]
    assert "airelays login" in steps[1]


@pytest.mark.parametrize(
    ("storage", "limiter", "status"),
    [
        (True, True, "ready"),
        (True, False, "degraded"),
        (False, True, "not_ready"),
        (False, False, "not_ready"),
    ],
)
def test_readiness(storage, limiter, status):
    assert Readiness(storage=storage, limiter=limiter).status == status


def test_without_a_subscription_the_auth_fields_are_null(settings_at_home):
    found = auth_summary({"a": READY}, settings=settings_at_home, login_file=None)
    assert found["email"] is found["auth_store_path"] is None
    assert found["storage_mode"] == "auto"


@pytest.fixture
def settings_at_home(tmp_path):
    return load_settings(environ={"HOME": str(tmp_path)})
