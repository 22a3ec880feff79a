"""The Gemini routes: any model in the path, exact frames, Google's errors, on any upstream.

A stream is ``data: {json}`` and blank lines and nothing else, one JSON array, or a line for each
object. Towards Google itself a request passes byte for byte.
"""

import json

import pytest
import requests

from tests.dialects.readers import read_gemini

CODEX, BOX = "gpt-5.5", "box/sandbox/reasoner:7b"
GOOGLE, ALIAS = "gemini/gemini-2.5-flash", "aistudio/gemini-2.5-flash"


@pytest.fixture(scope="module")
def module_relay(start_relay):
    return start_relay(vendors=True, UPSTREAM_RETRY_ATTEMPTS="0", KEEPALIVE_SECONDS="1")


def asking(text, **more):
    return {"contents": [{"role": "user", "parts": [{"text": text}]}], **more}


def path_of(model, verb="generateContent", version="v1beta"):
    return f"/{version}/models/{model}:{verb}"


def text_of(answer):
    return "".join(part["text"] for part in answer["candidates"][0]["content"]["parts"])


def google_error(answer, status):
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert error["code"] == status
    return error


def stream(relay, model, body, query="?alt=sse", **options):
    answer = relay.post(path_of(model, "streamGenerateContent") + query, body, **options)
    assert answer.status_code == 200, answer.text
    return answer


@pytest.mark.parametrize("version", ["v1", "v1beta"])
@pytest.mark.parametrize("model", [CODEX, f"codex/{CODEX}", BOX, GOOGLE, ALIAS])
def test_any_model_answers_under_either_version(relay, model, version):
    answer = relay.ok(path_of(model, version=version), asking("[[say Größe 🙂]]"))
    assert text_of(answer) == "Größe 🙂"
    assert answer["candidates"][0]["finishReason"] == "STOP"


@pytest.mark.parametrize(
    "path",
    [
        f"/v1beta/{ALIAS}:generateContent",
        "/aistudio/v1beta/models/gemini-2.5-flash:generateContent",
        "/gemini/v1/models/gemini-2.5-flash:generateContent",
        "/v1beta/models/aistudio%2Fgemini-2.5-flash%3AgenerateContent",
    ],
)
def test_the_provider_may_be_named_in_every_way(relay, path):
    assert text_of(relay.ok(path, asking("[[say Hi]]"))) == "Hi"
    assert relay.sandbox.requests[-1].path.endswith("/models/gemini-2.5-flash:generateContent")


@pytest.mark.parametrize("version", ["v1", "v1beta"])
def test_an_unknown_verb_is_not_found(relay, version):
    answer = relay.post(path_of(CODEX, "predict", version), asking("Hi"))
    assert google_error(answer, 404)["status"] == "NOT_FOUND"
    assert len(relay.sandbox.requests) == 0


@pytest.mark.parametrize("model", [CODEX, BOX, GOOGLE])
def test_server_sent_events_are_data_and_nothing_else(relay, model):
    answer = stream(relay, model, asking("[[behave slow 0.5]] [[say one two three four]]"))
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    read = read_gemini(answer.content.replace(b"\r\n", b"\n"))
    assert text_of(read) == "one two three four"


@pytest.mark.parametrize("model", [CODEX, GOOGLE])
@pytest.mark.parametrize("query", ["", "?alt=json"])
def test_without_sse_a_stream_is_one_json_array(relay, model, query):
    answer = stream(relay, model, asking("[[say one two]]"), query)
    assert answer.headers["Content-Type"] == "application/json"
    assert "".join(map(text_of, answer.json())) == "one two"


@pytest.mark.parametrize("model", [CODEX, GOOGLE])
@pytest.mark.parametrize(
    ("query", "headers"), [("?alt=ndjson", {}), ("", {"Accept": "application/x-ndjson"})]
)
def test_a_stream_may_be_a_line_for_each_object(relay, model, query, headers):
    answer = stream(relay, model, asking("[[say one\u2028two three]]"), query, headers=headers)
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    lines = answer.content.split(b"\n")
    assert lines.pop() == b""
    assert "".join(text_of(json.loads(line)) for line in lines) == "one\u2028two three"


def test_another_form_is_refused(relay):
    path = path_of(CODEX, "streamGenerateContent") + "?alt=xml"
    error = google_error(relay.post(path, asking("Hi")), 400)
    assert "sse, json, ndjson" in error["message"]


def test_an_array_that_breaks_off_is_whole_json_with_the_error_at_its_end(relay):
    body = asking("[[behave slow 0.6]] [[behave failed 2]] [[say one two three]]")
    elements = stream(relay, GOOGLE, body, "").json()
    assert elements[-1]["error"]["status"] == "UNAVAILABLE"
    assert "".join(map(text_of, elements[:-1])) == "one two"


@pytest.mark.parametrize("model", [CODEX, BOX, GOOGLE])
def test_a_stream_that_is_cut_ends_with_an_error(relay, model):
    body = asking("[[behave slow 0.6]] [[behave cut 2]] [[say one two three]]")
    answer = stream(relay, model, body)
    read = read_gemini(answer.content.replace(b"\r\n", b"\n"))
    assert read["error"]["code"] == 502
    assert b"one" in answer.content


@pytest.mark.parametrize("spelling", ["camel", "snake"])
@pytest.mark.parametrize("verb", ["generateContent", "streamGenerateContent?alt=sse"])
def test_towards_google_the_bytes_stay(relay, spelling, verb):
    name = "generationConfig" if spelling == "camel" else "generation_config"
    raw = b'{ "contents":[{"parts":[{"text":"[[say \\ud83d\\ude00]]"}]}],\n"%b":{"topP":1.0}}'
    raw %= name.encode()
    headers = {"Content-Type": "application/json"}

    answer = relay.request("POST", path_of(GOOGLE, verb), data=raw, headers=headers)

    assert answer.status_code == 200, answer.text
    sent = relay.sandbox.requests[-1]
    assert sent.body == raw
    assert sent.headers["x-goog-api-key"] == relay.sandbox.gemini_key
    assert "authorization" not in sent.headers
    assert sent.target.endswith(verb)


@pytest.mark.parametrize("place", ["header", "query", "bearer"])
def test_the_token_may_stand_where_googles_clients_put_it(relay, place):
    path = path_of(GOOGLE)
    headers = {"x-goog-api-key": relay.token} if place == "header" else {}
    token = relay.token if place == "bearer" else None
    query = f"?key={relay.token}" if place == "query" else ""
    answer = relay.post(path + query, asking("[[say Hi]]"), headers=headers, token=token)
    assert text_of(answer.json()) == "Hi"
    assert relay.token not in str(relay.sandbox.requests[-1].headers)
    assert relay.token not in relay.sandbox.requests[-1].target


def test_without_the_token_the_refusal_is_googles(relay):
    answer = relay.post(path_of(GOOGLE), asking("Hi"), token=None)
    assert google_error(answer, 401)["status"] == "UNAUTHENTICATED"


@pytest.mark.parametrize("model", [CODEX, BOX, "anthropic/claude-sonnet-4-5"])
def test_a_function_may_have_a_name_that_only_google_takes(relay, model):
    tools = [{"functionDeclarations": [{"name": "files.read:all", "description": "Read."}]}]
    forced = {"functionCallingConfig": {"mode": "ANY"}}

    answer = relay.ok(path_of(model), asking("Go.", tools=tools, toolConfig=forced))

    calls = [part.get("functionCall") for part in answer["candidates"][0]["content"]["parts"]]
    assert {call["name"] for call in calls if call} == {"files.read:all"}
    assert b"files.read:all" not in relay.sandbox.requests[-1].body


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "contents"),
        ({"contents": "Hi"}, "contents"),
        (asking("Hi", generation_config=[]), "generationConfig"),
        (
            asking("Hi", generationConfig={"maxOutputTokens": 9}),
            "generationConfig.maxOutputTokens",
        ),
        (
            asking("Hi", generationConfig={"responseMimeType": "application/json"}),
            "generationConfig.responseMimeType",
        ),
        (asking("Hi", cachedContent="cachedContents/1"), "cachedContent"),
    ],
)
def test_what_is_refused_is_400_and_names_the_field(relay, body, field):
    error = google_error(relay.post(path_of(CODEX), body), 400)
    assert error["status"] == "INVALID_ARGUMENT"
    (detail,) = error["details"]
    assert [each["field"] for each in detail["fieldViolations"]] == [field]


def test_what_the_subscription_lacks_is_left_out_and_disclosed(relay):
    config = {"temperature": 0.5, "top_k": 40, "stopSequences": ["three"]}
    body = asking("[[say one two three four]]", generation_config=config, safetySettings=[{}])
    answer = relay.post(path_of(CODEX), body)
    assert text_of(answer.json()) == "one two "
    assert set(answer.headers["x-airelays-ignored-parameters"].split(",")) == {
        "generationConfig.temperature",
        "generationConfig.topK",
        "safetySettings",
    }


def test_a_quota_that_is_used_up_says_when_to_come_again(relay):
    for model in (GOOGLE, BOX):
        relay.sandbox.script("limit", resets_in_seconds=34, retry_after=34)
        answer = relay.post(path_of(model), asking("Hi"))
        error = google_error(answer, 429)
        assert answer.headers["Retry-After"] == "34"
        delays = [each["retryDelay"] for each in error["details"] if "retryDelay" in each]
        assert delays == ["34s"]


def test_googles_own_details_reach_a_client_of_another_dialect(relay):
    relay.sandbox.script("limit", resets_in_seconds=34)
    body = {"model": GOOGLE, "messages": [{"role": "user", "content": "Hi"}]}
    answer = relay.post("/v1/chat/completions", body)
    assert answer.status_code == 429
    error = answer.json()["error"]
    assert error["code"] == "RESOURCE_EXHAUSTED"
    assert error["type"] == "rate_limit_error"
    assert len(error["details"]) == 3


def test_a_key_that_google_refuses_is_the_owners_problem(relay, start_relay):
    other = start_relay(
        sandbox=relay.sandbox,
        vendors=True,
        PROVIDERS_GEMINI_API_KEY="AIza-of-somebody-else",
    )
    answer = other.post(path_of(GOOGLE), asking("Hi"))
    assert google_error(answer, 503)["status"] == "UNAVAILABLE"
    assert answer.headers["x-airelays-upstream-auth"] == "rejected"


def test_a_prompt_that_is_blocked_is_told_to_every_client(relay):
    blocked = asking("[[behave blocked]]")
    native = relay.ok(path_of(GOOGLE), blocked)
    assert native["promptFeedback"]["blockReason"] == "PROHIBITED_CONTENT"
    assert b"PROHIBITED_CONTENT" in stream(relay, GOOGLE, blocked).content

    body = {"model": GOOGLE, "messages": [{"role": "user", "content": "[[behave blocked]]"}]}
    choice = relay.ok("/v1/chat/completions", body)["choices"][0]
    assert choice["finish_reason"] == "content_filter"
    assert "PROHIBITED_CONTENT" in choice["message"]["refusal"]


def test_comments_of_an_upstream_do_not_reach_the_client(relay):
    answer = stream(relay, GOOGLE, asking("[[behave comments]] [[say one two]]"))
    assert text_of(read_gemini(answer.content.replace(b"\r\n", b"\n"))) == "one two"


def test_a_client_that_leaves_closes_the_upstream(relay):
    url = relay.url + path_of(GOOGLE, "streamGenerateContent") + "?alt=sse"
    body = asking("[[behave stalled 1]] [[say one two three]]")
    headers = {"x-goog-api-key": relay.token}
    with requests.post(url, json=body, headers=headers, stream=True, timeout=60) as answer:
        assert next(answer.iter_content(chunk_size=None))
    (request,) = relay.sandbox.requests
    assert relay.sandbox.requests.wait_closed(request, timeout=60)
    assert request.closed_early


def test_models_are_listed_in_googles_form(relay):
    for path, headers in (("/v1beta/models", {}), ("/v1/models", {"x-goog-api-key": relay.token})):
        listed = relay.get(path, headers=headers, token=relay.token).json()["models"]
        names = [model["name"] for model in listed]
        assert {f"models/{CODEX}", f"models/{GOOGLE}", f"models/{BOX}"} <= set(names)
    (flash,) = [model for model in listed if model["name"] == f"models/{GOOGLE}"]
    assert flash["inputTokenLimit"] == 1_048_576, "what Google says of a model is passed on"
    one = relay.get(f"/v1beta/models/{GOOGLE}").json()
    assert one == flash


def test_models_come_in_pages(relay):
    names, token = [], ""
    while True:
        page = relay.get(f"/v1beta/models?pageSize=3&pageToken={token}").json()
        names += [model["name"] for model in page["models"]]
        assert len(page["models"]) <= 3
        token = page.get("nextPageToken")
        if not token:
            break
    whole = relay.get("/v1beta/models").json()["models"]
    assert names == [model["name"] for model in whole]


@pytest.mark.parametrize("name", ["pageSize", "pageToken"])
@pytest.mark.parametrize("number", ["x", "-1", pytest.param("9" * 5000, id="endless")])
def test_a_bad_page_of_models_is_refused_by_its_name(relay, name, number):
    error = google_error(relay.get(f"/v1beta/models?{name}={number}"), 400)
    assert name in error["message"]


def test_a_model_that_there_is_not_is_404_with_the_nearest(relay):
    error = google_error(relay.post(path_of("gemini/gemini-2.5-flush"), asking("Hi")), 404)
    assert "gemini-2.5-flash" in error["message"]
    google_error(relay.get("/v1beta/models/none"), 404)


@pytest.mark.parametrize("path", ["/v1beta/files", "/v1beta/cachedContents/x"])
def test_what_only_google_has_is_501(relay, path):
    assert google_error(relay.get(path), 501)["status"] == "UNIMPLEMENTED"
