"""Usage is asked for once however many ask, remembered for a while, and never served older."""

import json
import threading

import pytest

from airelays_app.cli.in_process import relay_core
from airelays_app.config import load_settings
from airelays_app.errors import Unsupported, UpstreamLoginError, UpstreamUnreachable
from airelays_app.providers.codex.credentials import CredentialFile
from airelays_app.sandbox import Sandbox
from airelays_app.services.subscription import Subscription, TellsUsage

UPPER = 30.0


class Teller:
    """A provider of which only what counts here is there."""

    name = "teller"

    def __init__(self):
        self.account = "one"

    def status(self):
        return {"account_id": self.account}

    def usage_request(self):
        return None

    def read_usage(self, payload, *, captured_at):
        return {"said": payload["n"], "captured_at": captured_at}


class Upstream:
    """Answers with the number of the call, or fails."""

    def __init__(self):
        self.calls = 0
        self.down = False

    def fetch(self, provider, make_request):
        make_request()
        self.calls += 1
        if self.down:
            raise UpstreamUnreachable("down")
        return {"n": self.calls}


class Clock:
    def __init__(self):
        self.at = 1000.0

    def __call__(self):
        return self.at


@pytest.fixture
def upstream():
    return Upstream()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def teller():
    return Teller()


@pytest.fixture
def subscription(upstream, clock, teller):
    return Subscription(
        {"other": object(), "teller": teller},
        upstream.fetch,
        ttl=60,
        clock=clock,
        now=lambda: 5.0 + clock.at,
    )


def test_an_answer_is_remembered_and_says_how_old_it_is(subscription, clock, upstream):
    first = subscription.usage().document
    clock.at += 59.9
    assert subscription.usage().document == first == {"said": 1, "captured_at": 1005.0}
    clock.at += 0.2
    assert subscription.usage().document["captured_at"] == pytest.approx(1065.1)
    assert upstream.calls == 2


def test_an_old_answer_is_not_served_when_the_upstream_is_down(subscription, clock, upstream):
    subscription.usage()
    clock.at += 61
    upstream.down = True
    with pytest.raises(UpstreamUnreachable):
        subscription.usage()
    upstream.down = False
    assert subscription.usage().document["said"] == 3


def test_a_login_of_another_account_is_asked_for_anew(subscription, teller):
    subscription.usage()
    teller.account = "two"
    assert subscription.usage().document["said"] == 2


def test_the_upstreams_own_words_come_only_when_asked_for(subscription):
    usage = subscription.usage()
    assert "raw" not in usage.shown(raw=False)
    assert usage.shown(raw=True)["raw"] == {"n": 1}
    assert "raw" not in usage.document


def test_nothing_to_ask_is_501():
    with pytest.raises(Unsupported) as refused:
        Subscription({"other": object()}, lambda *_: {}, ttl=60).usage()
    assert refused.value.status == 501


def test_everybody_who_asks_meanwhile_shares_one_call(teller):
    began, may_end = threading.Event(), threading.Event()
    calls = []

    def fetch(provider, make_request):
        calls.append(provider)
        began.set()
        assert may_end.wait(UPPER)
        return {"n": len(calls)}

    subscription = Subscription({"teller": teller}, fetch, ttl=60)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(subscription.usage().document["said"]))
        for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    assert began.wait(UPPER)
    may_end.set()
    for thread in threads:
        thread.join(UPPER)
    assert found == [1] * 16
    assert len(calls) == 1


@pytest.fixture
def sandbox():
    with Sandbox() as running:
        yield running


@pytest.fixture
def file(tmp_path):
    return CredentialFile(tmp_path / ".airelays" / "auth.json")


@pytest.fixture
def on_sandbox(sandbox, tmp_path):
    environ = {
        "HOME": str(tmp_path),
        "AIRELAYS_UPSTREAM_BASE_URL": sandbox.codex_url,
        "AIRELAYS_ISSUER_BASE_URL": sandbox.issuer_url,
    }
    with relay_core(load_settings(environ=environ), environ) as core:
        yield core.subscription


def log_in(sandbox, file):
    file.make_directory()
    file.path.write_text(json.dumps({"tokens": sandbox.login(), "last_refresh": None}))


def test_the_real_protocol(sandbox, file, on_sandbox):
    log_in(sandbox, file)
    usage = on_sandbox.usage().shown(raw=True)
    assert usage["account"]["plan_type"] == "plus"
    assert usage["rate_limits"]["default"]["primary_window"]["window_label"] == "5h"
    assert usage["rate_limits"]["default"]["secondary_window"]["window_label"] == "weekly"
    assert usage["raw"]["plan_type"] == "plus"


def test_a_dead_token_is_renewed_once(sandbox, file, on_sandbox):
    log_in(sandbox, file)
    sandbox.void_access_tokens()
    assert on_sandbox.usage().document["account"]["email"] == "owner@example.org"
    assert len(sandbox.requests.to("/oauth/token")) == 1


def test_without_a_login_the_error_says_so(on_sandbox):
    with pytest.raises(UpstreamLoginError) as missing:
        on_sandbox.usage()
    assert missing.value.problem == "missing"


def test_a_logout_is_noticed_though_usage_is_remembered(sandbox, file, on_sandbox):
    log_in(sandbox, file)
    on_sandbox.usage()
    file.delete()
    with pytest.raises(UpstreamLoginError):
        on_sandbox.usage()


def test_the_protocol_is_met():
    assert isinstance(Teller(), TellsUsage)
