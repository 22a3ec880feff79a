"""Applications get answers to what they are known to send, without being run.

LibreChat's fields are those of its documentation ("Default Parameters", seen 2026-11-25), Open
WebUI's those of its source (``routers/tasks.py`` and ``routers/openai.py``, release 0.12.4): it
calls the limit otherwise for models whose name begins with ``gpt-5`` or higher. It sends none to
those who have taken over all of its settings that are printed.
"""

import pytest

from tests.clients.upstreams import SUBSCRIPTION, UPSTREAMS

LIBRECHAT = {
    "temperature": 1,
    "top_p": 1,
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "user": "66f2a1b0c4d5e6f708192a3b",
    "stream": True,
}
OPEN_WEBUI_TITLE = {"stream": False, "max_tokens": 1000}
OPEN_WEBUI_TITLE_BY_GPT = {"stream": False, "max_completion_tokens": 1000}
CHAT = "/v1/chat/completions"


@pytest.fixture(scope="module")
def module_relay(start_relay):
    return start_relay(vendors=True)


def question(upstream, fields):
    said = [{"role": "user", "content": "[[say Hello.]]"}]
    return {"model": upstream.model, "messages": said, **fields}


@pytest.mark.parametrize("upstream", UPSTREAMS, ids=lambda upstream: upstream.name)
def test_librechat_s_usual_parameters_are_answered(relay, upstream):
    *chunks, end = relay.events(CHAT, question(upstream, LIBRECHAT))

    said = (chunk.data["choices"][0]["delta"].get("content") or "" for chunk in chunks)
    assert "".join(said) == "Hello."
    assert end.data == "[DONE]"


@pytest.mark.parametrize("upstream", UPSTREAMS[1:], ids=lambda upstream: upstream.name)
def test_open_webui_gets_its_title(relay, upstream):
    answer = relay.ok(CHAT, question(upstream, OPEN_WEBUI_TITLE))

    assert answer["choices"][0]["message"]["content"] == "Hello."


def test_open_webui_s_title_is_refused_on_the_subscription_with_what_to_do(relay):
    error = relay.refusal(CHAT, question(SUBSCRIPTION, OPEN_WEBUI_TITLE_BY_GPT))

    assert error["param"] == "max_completion_tokens"
    assert "compat.token_limits" in error["message"]


def test_open_webui_gets_its_title_if_limits_are_ignored(start_relay):
    relay = start_relay(COMPAT_TOKEN_LIMITS="ignore")

    answer = relay.ok(CHAT, question(SUBSCRIPTION, OPEN_WEBUI_TITLE_BY_GPT))

    assert answer["choices"][0]["message"]["content"] == "Hello."
