"""The upstreams: the login, how the backend answers, what is left of the quota, other servers."""

from http import HTTPStatus
from typing import Any

from airelays_app.cli.doctor_checks.situation import SUBSCRIPTION_OFF, Probe, Situation
from airelays_app.cli.doctor_checks.verdict import Verdict, failed, passed, skipped, warned
from airelays_app.cli.wording import duration
from airelays_app.config.sections.providers import BUILT_IN_PROVIDERS
from airelays_app.errors import RelayError, UpstreamError, UpstreamLoginError
from airelays_app.framing.jsontext import JsonTextError, loads
from airelays_app.providers.codex.provider import CodexProvider
from airelays_app.services.steps import PROBLEM_STEPS
from airelays_app.services.trial import try_out
from airelays_app.upstream.response import UpstreamResponse

NEARLY_USED_PERCENT = 90.0

_BYTES_MAX = 4 * 1024 * 1024
_LOGIN_MESSAGES = {
    "missing": "Nobody is logged in to the subscription.",
    "incomplete": "The stored login lacks tokens.",
    "expired": "The login has expired and cannot be renewed.",
    "refresh_failed": "The login has ended: the issuer refused to renew it.",
    "account_mismatch": "The stored login belongs to another account than the one it is bound to.",
    "rejected": "The backend rejects the login although it was just renewed.",
}
_AGAIN = "Log in again: airelays login"
_NETWORK_STEPS = (
    "See whether this machine reaches the internet, and its name server.",
    "Behind a proxy, or one that inspects TLS: set upstream.https_proxy and upstream.ca_bundle",
)


def login(situation: Situation) -> Verdict:
    """Somebody is logged in, with the account that was chosen, and the login can be used."""
    if situation.subscription is None:
        return skipped(SUBSCRIPTION_OFF)
    state = situation.states[situation.subscription.name]
    problem = state["problem"]
    if problem is None:
        return passed(f"Logged in, plan {state['plan_type'] or 'unknown'}.")
    if problem == "expired" and state["renewable"]:
        return warned(
            "The access token has expired; it is renewed at the next request.",
            "If it is not: airelays login",
        )
    if reason := situation.no_subscription:
        return skipped(reason)
    return _login_problem(problem)


def upstream(situation: Situation) -> Verdict:
    """The subscription backend is reached."""
    if reason := situation.no_subscription:
        return skipped(reason)
    return _reached(situation.upstream_probe, what="The subscription backend")


def issuer(situation: Situation) -> Verdict:
    """The login service is reached; without it no login and no renewal."""
    if reason := situation.no_subscription:
        return skipped(reason)
    probe = situation.probe(situation.settings.upstream.issuer_base_url)
    return _reached(probe, what="The login service")


def subscription(situation: Situation) -> Verdict:
    """The backend accepts the login, and something is left of the quota."""
    provider = situation.subscription
    if provider is None:
        return skipped(SUBSCRIPTION_OFF)
    problem = situation.states[provider.name]["problem"]
    if problem not in (None, "expired"):
        return skipped("There is no usable login to ask with.")
    if situation.upstream_probe.problem:
        return skipped("The subscription backend is not reached.")
    try:
        return _asked(situation, provider)
    except UpstreamLoginError as error:
        return _login_problem(error.problem)
    except UpstreamError as error:
        return failed(f"The usage cannot be asked for: {error.message}", "Try again in a minute.")


def other_servers(situation: Situation) -> Verdict:
    """Every other configured server answers."""
    providers = situation.core.router.providers.values()
    servers = [provider for provider in providers if provider.kind not in BUILT_IN_PROVIDERS]
    if not servers:
        return skipped("None is configured.")
    problems = []
    for provider in servers:
        try:
            try_out(provider, situation.core.ask_models)
        except RelayError as error:
            problems.append(f"{provider.name}: {error.message}")
    if not problems:
        return passed(f"{', '.join(provider.name for provider in servers)} answered.")
    return failed(
        " ".join(problems),
        "See whether that server runs, and compare base_url and api_key of its "
        "[providers.NAME] table: airelays config show",
    )


def _reached(probe: Probe, *, what: str) -> Verdict:
    if probe.problem:
        return failed(f"{what} is not reached: {probe.problem}", *_NETWORK_STEPS)
    if probe.status >= 500:
        return warned(f"{what} answers {probe.status}: it is out of order.", "Try again later.")
    return passed(f"{what} is reached.")


def _asked(situation: Situation, provider: CodexProvider) -> Verdict:
    with _usage_answer(situation, provider) as answer:
        body = answer.read(limit=_BYTES_MAX)
        status, headers = answer.status, answer.headers
    if status == HTTPStatus.UNAUTHORIZED:
        return _login_problem("rejected")
    if status == HTTPStatus.FORBIDDEN:
        said = provider.refusal(status, headers, body).message
        return failed(
            f"The backend answers 403: {said}",
            "Open chatgpt.com in a browser with the same account and network: it may ask for "
            "something there, or the plan may not include this.",
            "If this network is refused, try another one, or set upstream.https_proxy",
            "If it speaks of the originator or the client, see upstream.originator",
        )
    if status != HTTPStatus.OK:
        said = provider.refusal(status, headers, body).message
        return failed(f"The backend answers {status}: {said}", "Try again in a minute.")
    return _quota(provider.read_usage(_object(body), captured_at=situation.clock()))


def _usage_answer(situation: Situation, provider: CodexProvider) -> UpstreamResponse:
    """Ask, and once more with a renewed login; raises UpstreamError, UpstreamLoginError."""
    request = provider.usage_request()
    answer = situation.send(request)
    if answer.status != HTTPStatus.UNAUTHORIZED:
        return answer
    answer.close()
    provider.renew(request)
    return situation.send(provider.usage_request())


def _quota(usage: dict[str, Any]) -> Verdict:
    limit = usage["rate_limits"]["default"]
    windows = [limit["primary_window"], limit["secondary_window"]] if limit else []
    windows = [window for window in windows if window]
    if not limit or not windows:
        return passed("The backend accepts the login; it tells no quota.")
    fullest = max(window["used_percent"] or 0.0 for window in windows)
    if limit["limit_reached"] or limit["allowed"] is False or fullest >= 100:
        return _exhausted(windows)
    shown = ", ".join(
        f"{window['remaining_percent']:g} % of the {window['window_label'] or 'only'} window"
        for window in windows
        if window["remaining_percent"] is not None
    )
    if fullest >= NEARLY_USED_PERCENT:
        return warned(
            f"The quota is nearly used up: {shown} left.", "See what is left: airelays usage"
        )
    return passed(f"The backend accepts the login; {shown} left.")


def _exhausted(windows: list[dict[str, Any]]) -> Verdict:
    """The reset that counts is the last one among the windows that are used up."""
    full = [window for window in windows if (window["used_percent"] or 0.0) >= 100] or windows
    last = max(full, key=lambda window: window["reset_after_seconds"] or window["reset_at"] or 0)
    after, at = last["reset_after_seconds"], last["reset_at_iso"]
    when = f"until {at}" if at else "for now"
    within = f", which is in {duration(after)}" if after is not None else ""
    return failed(
        f"The quota is used up {when}{within}.",
        "Wait for the reset, or use another provider meanwhile: airelays local install, or a "
        "[providers.NAME] table",
        reset_at=last["reset_at"],
        reset_at_iso=at,
    )


def _login_problem(problem: str) -> Verdict:
    return failed(
        _LOGIN_MESSAGES.get(problem, f"The login cannot be used ({problem})."),
        PROBLEM_STEPS.get(problem, _AGAIN),
        problem=problem,
    )


def _object(data: bytes) -> dict[str, Any]:
    try:
        value = loads(data)
    except JsonTextError:
        return {}
    return value if isinstance(value, dict) else {}
