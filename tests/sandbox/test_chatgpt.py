"""The stand-in ChatGPT backend lets in only its own issuer's tokens, with the account and an
accepted originator; it lists models, reports usage, and streams answers with the real one's quirks.
"""

import orjson
import pytest
import zstandard
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

EVENT = TypeAdapter(ResponseStreamEvent)
DEAD_TOKEN = "ey.not.ours"


def kinds(events: list[dict]) -> list[str]:
    return [event["type"] for event in events]


def test_a_plain_answer_runs_through_the_whole_sequence(codex):
    events = codex.events("hello")
    assert [kind for kind in kinds(events) if not kind.endswith(".delta")] == [
        "response.created",
        "codex.rate_limits",
        "codex.response.metadata",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    numbered = [event["sequence_number"] for event in events if "sequence_number" in event]
    assert numbered == list(range(len(numbered)))
    assert codex.text_of(events) == "You have sent 1 message; the last one says: “hello” ✓"
    assert events[-1]["response"]["output"] == []
    assert events[-1]["response"]["usage"]["output_tokens"] == kinds(events).count(
        "response.output_text.delta"
    )


def test_every_frame_names_its_event(codex):
    body = codex.post(codex.body()).content
    for frame in body.split(b"\n\n")[:-1]:
        name, data = frame.split(b"\n")
        assert name == b"event: " + orjson.loads(data.removeprefix(b"data: "))["type"].encode()


@pytest.mark.parametrize(
    "prompt",
    [
        "[[say a]] [[refuse no]]",
        "[[reason why]] [[annotate https://example.org/x]]",
        '[[call look {"at":[[1]]}]] [[custom run echo 1]]',
        "[[behave failed]]",
        "[[behave error_event]]",
        "[[behave incomplete]]",
    ],
)
def test_every_event_is_legal_for_the_sdk(codex, prompt: str):
    tools = [
        {"type": "function", "name": "look", "strict": False, "parameters": {"type": "object"}},
        {"type": "custom", "name": "run"},
    ]
    reasoning = {"effort": "low", "summary": "auto"}
    for event in codex.events(prompt, tools=tools, reasoning=reasoning):
        if not event["type"].startswith("codex."):
            assert EVENT.validate_python(event).type == event["type"]


def test_history_is_counted_and_the_last_words_quoted(codex):
    history = [
        codex.user("one"),
        {"role": "assistant", "content": [{"type": "output_text", "text": "two"}]},
        codex.user("Straße 東京"),
    ]
    said = codex.text(history)
    assert said == "You have sent 3 messages; the last one says: “Straße 東京” ✓"


def test_a_tool_result_is_quoted_whichever_shape_it_has(codex):
    call = {"type": "custom_tool_call", "call_id": "c1", "name": "exec", "input": "x"}
    parts = [{"type": "input_text", "text": "4"}, {"type": "input_text", "text": "2"}]
    output = {"type": "custom_tool_call_output", "call_id": "c1", "output": parts}
    assert codex.text([codex.user("go"), call, output]) == "The tool answered “42” — done ✓"


def test_tools_in_namespaces_and_input_items_are_known(codex):
    inner = {"type": "custom", "name": "exec"}
    tools = {"type": "namespace", "name": "functions", "tools": [inner]}
    item = {"type": "additional_tools", "id": "at_1", "role": "developer", "tools": [tools]}
    events = codex.events([item, codex.user("[[custom exec ls -la]]")])
    done = next(event for event in events if event["type"] == "response.output_item.done")
    assert (done["item"]["name"], done["item"]["input"]) == ("exec", "ls -la")


def test_an_unknown_tool_is_not_called(codex):
    assert "no tool called ghost" in codex.text("[[call ghost {}]]")


def test_reasoning_is_sealed_only_when_asked_for_and_comes_back(codex):
    wanted = {"reasoning": {"effort": "low"}, "include": ["reasoning.encrypted_content"]}
    events = codex.events("hello", **wanted)
    items = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    assert items[0]["type"] == "reasoning"
    assert items[0]["summary"] == []
    assert (
        codex.post(codex.body([codex.user("hello"), items[0], codex.user("on")])).status_code == 200
    )
    unsealed = codex.events("hello", reasoning={"effort": "low"})
    assert "encrypted_content" not in str(unsealed)


def test_models_depend_on_the_client_version(codex):
    new = codex.get("/backend-api/codex/models", params={"client_version": "0.153.4"}).json()
    old = codex.get("/backend-api/codex/models", params={"client_version": "0.124.0"}).json()
    names = {model["slug"] for model in new["models"]}
    assert {model["slug"] for model in old["models"]} < names
    assert "gpt-5.5" in names


def test_usage_names_the_account_and_both_windows(codex):
    codex.sandbox.settings.used_percent = 100
    usage = codex.get("/backend-api/wham/usage").json()
    assert usage["account_id"] == codex.login["account_id"]
    assert usage["rate_limit"]["limit_reached"] is True
    assert usage["rate_limit"]["primary_window"]["limit_window_seconds"] == 18000
    assert usage["rate_limit"]["secondary_window"]["limit_window_seconds"] == 604800


def test_a_zstd_body_is_read(codex):
    body = zstandard.compress(orjson.dumps(codex.body("packed")))
    headers = {**codex.headers, "Content-Encoding": "zstd", "Content-Type": "application/json"}
    url = f"{codex.sandbox.codex_url}/responses"
    answer = codex.session.post(url, data=body, headers=headers, timeout=30)
    assert "“packed”" in codex.text_of(codex.events_of(answer.content))
    assert codex.sandbox.requests[-1].body == body


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"Authorization": None}, 401),
        ({"Authorization": f"Bearer {DEAD_TOKEN}"}, 401),
        ({"ChatGPT-Account-ID": "another"}, 403),
        ({"ChatGPT-Account-ID": None}, 403),
        ({"originator": "curl"}, 403),
        ({"originator": None}, 403),
        ({"originator": "Codex Desktop"}, 200),
    ],
)
def test_who_is_let_in(codex, changed: dict, status: int):
    headers = {**codex.headers, **changed}
    assert codex.post(codex.body(), headers=headers).status_code == status


def test_an_expired_and_a_voided_token_are_told_apart(codex):
    codex.sandbox.access_token_seconds = -1
    codex.login = codex.sandbox.login()
    assert codex.post(codex.body()).json()["error"]["code"] == "token_expired"
    codex.sandbox.access_token_seconds = 60
    codex.login = codex.sandbox.login()
    codex.sandbox.void_access_tokens()
    assert codex.post(codex.body()).json()["error"]["code"] == "token_invalidated"


def test_an_id_token_is_no_access_token(codex):
    headers = {**codex.headers, "Authorization": f"Bearer {codex.login['id_token']}"}
    assert codex.post(codex.body(), headers=headers).status_code == 401


def test_web_sockets_are_declined_with_426(codex):
    assert codex.get("/backend-api/codex/responses").status_code == 426
