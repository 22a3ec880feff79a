"""Every check that ``airelays doctor`` makes, and what they found as a page and for programs.

It is apart from the command, so that its help does not import what the checks look at.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from airelays_app.cli.doctor_checks import CHECKS, Check, Situation, Verdict, examine
from airelays_app.cli.doctor_checks.verdict import failed, skipped
from airelays_app.cli.options import Invocation
from airelays_app.cli.page import Page
from airelays_app.errors import ConfigError

Finding = tuple[Check, Verdict]

_ORDER = ("fail", "warn", "skip", "pass")
_COLOURS = {"pass": "green", "warn": "yellow", "fail": "red", "skip": None}
_PLURALS = {"pass": "passed", "warn": "warnings", "fail": "failed", "skip": "skipped"}


def examine_all(invocation: Invocation, *, offline: bool) -> tuple[Page, dict[str, Any]]:
    """Make the checks; ``offline`` leaves out those that call upstreams."""
    findings = list(_findings(invocation, offline=offline))
    data = report(findings)
    return _page(findings, data), data


def report(findings: list[Finding]) -> dict[str, Any]:
    """Return the findings for programs."""
    counts = dict.fromkeys(_PLURALS.values(), 0)
    for _, verdict in findings:
        counts[_PLURALS[verdict.status]] += 1
    return {
        "ok": not counts["failed"],
        "summary": counts,
        "checks": [_shown(check, verdict) for check, verdict in findings],
        "next_steps": _steps(findings),
    }


def _findings(invocation: Invocation, *, offline: bool) -> Iterator[Finding]:
    try:
        settings = invocation.settings()
    except ConfigError as error:
        yield from _without_settings(error)
        return
    with Situation(settings, environ=invocation.environ, offline=offline) as situation:
        for check in CHECKS:
            yield check, examine(check, situation)


def _without_settings(error: ConfigError) -> Iterator[Finding]:
    first, *others = CHECKS
    steps = "Correct that, then see: airelays config check"
    yield first, failed(str(error).replace("\n", "; "), steps)
    for check in others:
        yield check, skipped("The settings are not right.")


def _shown(check: Check, verdict: Verdict) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "name": check.name,
        "status": verdict.status,
        "message": verdict.message,
    }
    if verdict.steps:
        shown["next_steps"] = list(verdict.steps)
    if verdict.data:
        shown["data"] = dict(verdict.data)
    return shown


def _steps(findings: Iterable[Finding]) -> list[str]:
    """Return every step once, those of the worst findings first."""
    ordered = sorted(findings, key=lambda finding: _ORDER.index(finding[1].status))
    return list(dict.fromkeys(step for _, verdict in ordered for step in verdict.steps))


def _page(findings: list[Finding], data: dict[str, Any]) -> Page:
    page = Page("all is well" if data["ok"] else "something is wrong")
    page.section("Checks")
    for check, verdict in findings:
        colour = _COLOURS[verdict.status]
        page.verdict(check.title, verdict.status, verdict.message, colour=colour)
    page.steps(data["next_steps"])
    return page
