"""What may be written down of a request: by allow-list, never a credential, never data.

Rules: without bodies only the values of listed headers, parameters and fields remain, and only
if they are short plain words or numbers; names that do not look like names are replaced too. With
bodies the texts remain, and credentials, secrets in queries, file data and images become sizes.
Each leak known from earlier releases is a case of its own.
"""

import base64
import hashlib
import json
import random
import secrets
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airelays_app.store import redaction

TOKEN = "pV3-xQ7mZ_k2LwT9sYb4RnJf8GhDc1Ea6UoKiXaB3"
KEY = "sk-proj-9f2c71d04be86a35c9107e4fd82b36a0517c4e98"
IMAGE = base64.b64encode(secrets.token_bytes(300)).decode()
JSON = "application/json"


def written(value):
    return json.dumps(value, ensure_ascii=False)


def shape(body):
    return redaction.body_shape(json.dumps(body).encode(), JSON)["json"]


def text(body):
    return redaction.body_text(json.dumps(body).encode(), JSON)["json"]


@pytest.mark.parametrize(
    "name",
    [
        "X-Api-Key",
        "Api-Key",
        "Proxy-Authorization",
        "Authorization",
        "Cookie",
        "Set-Cookie",
        "x-goog-api-key",
        "X-Amz-Security-Token",
        "ChatGPT-Account-ID",
        "Referer",
        "Location",
        "X-Unheard-Of",
    ],
)
def test_headers_that_are_not_listed_lose_their_value(name):
    assert redaction.header_values([(name, TOKEN)]) == [[name.lower(), f"<string {len(TOKEN)}>"]]


def test_a_header_that_holds_names_keeps_what_looks_like_names():
    header = ("X-AIRelays-Ignored-Parameters", "top_p,a%20whole%20sentence,metadata.user")
    ((_, value),) = redaction.header_values([header])
    assert value == "top_p,<name 20>,metadata.user"


@pytest.mark.parametrize("name", ["x-request-id", "Request-Id"])
def test_only_what_can_be_a_request_id_is_kept_as_one(name):
    assert redaction.header_values([(name, "req_1-a.b")])[0][1] == "req_1-a.b"
    assert redaction.header_values([(name, "no id but words")])[0][1] == "<string 15>"


def test_listed_headers_keep_theirs_in_order():
    headers = [
        ("Content-Type", "application/json"),
        ("X-RateLimit-Remaining", "7"),
        ("x-airelays-ignored-parameters", "user,top_p"),
        ("Retry-After", "5"),
    ]
    assert redaction.header_values(headers) == [[n.lower(), value] for n, value in headers]


def test_a_secret_in_a_listed_header_or_in_a_header_s_name_is_replaced():
    found = redaction.header_values([("User-Agent", f"x/1 {KEY} Bearer {TOKEN}"), (TOKEN, "1")])
    assert TOKEN not in written(found)
    assert KEY not in written(found)
    assert "x/1" in written(found)


@pytest.mark.parametrize(
    "url",
    [
        f"/v1/models?key={TOKEN}",
        f"/v1/models?{TOKEN}=1",
        f"/v1/models?limit={TOKEN}",
        f"/oauth/callback?code={TOKEN}&state={TOKEN}",
        f"https://me:{TOKEN}@example.com/v1",
        f"/v1/{TOKEN}/x",
        f"/v1/{KEY}",
        f"/v1/%2F{TOKEN}",
        f"/v1#{TOKEN}",
        f"http://[{TOKEN}",
    ],
)
def test_a_secret_anywhere_in_a_url_is_replaced(url):
    assert TOKEN not in written(redaction.target(url))
    assert KEY not in written(redaction.target(url))


def test_a_harmless_url_stays_readable():
    url = "https://chatgpt.com/backend-api/codex/models?client_version=0.124.0&limit=20"
    assert redaction.target(url) == {
        "path": "https://chatgpt.com/backend-api/codex/models",
        "query": [["client_version", "0.124.0"], ["limit", "20"]],
    }
    file_path = "/v1/files/file_" + "0a" * 16 + "/content"
    assert redaction.target(file_path) == {"path": file_path}
    gemini = "/v1beta/models/gemini-2.5-flash:generateContent"
    assert redaction.target(gemini) == {"path": gemini}


def test_a_body_s_shape_tells_what_was_asked_and_not_what_was_said():
    body = {
        "model": "gpt-5.5-codex",
        "stream": True,
        "max_output_tokens": 100,
        "instructions": "the secret plan",
        "input": [{"type": "message", "role": "user", "content": "my diary"}],
        "metadata": {"status": "private", "patient": "jane"},
        "unknown_number": 4711,
        "error": {"code": "rate_limit_exceeded", "message": "for jane"},
    }
    assert shape(body) == {
        "model": "gpt-5.5-codex",
        "stream": True,
        "max_output_tokens": 100,
        "instructions": "<string 15>",
        "input": [{"type": "message", "role": "user", "content": "<string 8>"}],
        "metadata": "<object 2>",
        "unknown_number": "<number>",
        "error": {"code": "rate_limit_exceeded", "message": "<string 8>"},
    }


def test_tool_arguments_and_results_are_closed_in_every_dialect():
    said = {"status": "pregnant", "reason": "family"}
    body = {
        "a": {"type": "tool_use", "input": said},
        "b": {"functionCall": {"name": "f", "args": said}},
        "c": {"functionResponse": {"name": "f", "response": said}},
        "d": {"parameters": {"properties": said}},
        "e": {"args": [said], "arguments": [[said]]},
    }
    assert "pregnant" not in written(shape(body))
    assert "family" not in written(shape(body))


@pytest.mark.parametrize("field", sorted(redaction.ALLOWED_FIELDS))
def test_a_secret_under_an_allowed_name_is_still_replaced(field):
    for secret in (TOKEN, KEY, f"Bearer {TOKEN}", "ac_kX92LmQ0vTz7RbY4nWp8", "my diary"):
        found = written(shape({field: secret, "deep": [{field: [secret]}]}))
        assert secret not in found


@pytest.mark.parametrize(
    "value",
    "gpt-5.5-codex gpt-4o o3-mini claude-sonnet-4-20250514 models/gemini-2.5-pro MAX_TOKENS"
    " end_turn response.output_item.done /v1/responses Qwen2.5-7B-Instruct".split(),
)
def test_models_kinds_and_reasons_stay_readable(value):
    assert shape({"model": value}) == {"model": value}


@pytest.mark.parametrize(
    "name",
    "generationConfig input_tokens_details inlineData b64_json partial_image_b64 topK n".split(),
)
def test_names_of_fields_stay_readable(name):
    assert shape({name: None}) == {name: None}


def test_random_tokens_do_not_pass_for_words():
    dice = random.Random(1)
    alphabet = string.ascii_letters + string.digits + "-_"
    tokens = ["".join(dice.choices(alphabet, k=32)) for _ in range(20_000)]
    survivors = [t for t in tokens if t in written(shape({"model": t, t: 0}))]
    assert survivors == []
    assert [t for t in tokens if t in written(redaction.target(f"/v1/{t}"))] == []


def test_an_error_code_stays_readable_and_an_oauth_code_does_not():
    assert shape({"code": "model_not_found"}) == {"code": "model_not_found"}
    assert TOKEN not in written(shape({"code": TOKEN}))


def test_a_secret_as_a_key_is_replaced_and_equal_looking_keys_stay_apart():
    first, second = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    found = shape({first: 1, second: 2})
    assert len(found) == 2
    assert first not in written(found)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(TOKEN) | st.just(KEY),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(sorted(redaction.ALLOWED_FIELDS))
            | st.just(TOKEN)
            | st.text(max_size=9),
            inner,
            max_size=4,
        )
    ),
)


@given(JSON_VALUES)
def test_no_planted_secret_survives_anywhere_in_either_mode(value):
    for mode in (redaction.body_shape, redaction.body_text):
        found = written(mode(json.dumps(value).encode(), JSON))
        assert TOKEN not in found
        assert KEY not in found


def test_deep_and_wide_bodies_have_a_bounded_shape():
    deep = value = {}
    for _ in range(150):
        value["a"] = value = {}
    wide = {f"a{'b' * (n % 20)}_{n}": n for n in range(5000)}
    assert len(written(shape([deep, wide, list(range(5000))]))) < 20_000


@pytest.mark.parametrize(
    ("body", "content_type", "kind"),
    [
        (b"", "", "empty"),
        (b'{"a": 1}', "", "json"),
        (b"data: hello\n\n", "text/event-stream", "text"),
        (b"\x00\x01", "image/png", "binary"),
        (b"{broken", JSON, "text"),
    ],
)
def test_every_body_has_its_size_and_digest(body, content_type, kind):
    found = redaction.body_shape(body, content_type)
    assert (found["kind"], found["bytes"]) == (kind, len(body))
    assert found["sha256"] == hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize(
    "name",
    "api_key apiKey Api-Key access_token refreshToken id_token relay_token bearer_token password"
    " client_secret authorization Cookie key code_verifier user_credentials".split(),
)
def test_with_bodies_credentials_become_sizes_under_any_spelling(name):
    assert text({"a": [{name: "hunter2"}]}) == {"a": [{name: "<credential 7>"}]}


def test_with_bodies_what_was_said_is_readable():
    said = {"input": "Please max_tokens: use the key of C minor, http://example.com/?page=2"}
    assert text(said) == said


@pytest.mark.parametrize(
    "said",
    [
        f"Authorization: Bearer {TOKEN}",
        f"curl -H 'x-api-key: {TOKEN}'",
        f"my key is {KEY}, keep it",
        f"see https://example.com/a?b=1&key={TOKEN}#c",
        f"https://me:{TOKEN}@example.com/",
        f'{{"api_key": "{TOKEN}"}}',
        json.dumps(json.dumps({"client_secret": TOKEN})),
        f"grant_type=refresh_token&refresh_token={TOKEN}",
        f"refresh_token={TOKEN}",
        f"the token {TOKEN} alone",
        "eyJhbGciOiJIUzI1NiJ9." + TOKEN + "." + TOKEN,
    ],
)
def test_with_bodies_credentials_in_what_was_said_are_replaced(said):
    assert TOKEN not in written(text({"input": said}))
    assert KEY not in written(text({"input": said}))
    stream = b"data: " + json.dumps({"delta": said}).encode() + b"\n\n"
    found = written(redaction.body_text(stream, "text/event-stream; charset=utf-8"))
    assert TOKEN not in found
    assert KEY not in found


@pytest.mark.parametrize("secret", ["hunter2", 'with " quote', "with \\ backslash"])
def test_with_bodies_short_credentials_in_a_stream_are_replaced_by_name(secret):
    stream = b"data: " + json.dumps({"api_key": secret, "text": "hello"}).encode() + b"\n\n"
    found = redaction.body_text(stream, "text/event-stream")["text"]
    assert secret.split()[-1].strip('"') not in found
    assert "hello" in found


@pytest.mark.parametrize(
    "body",
    [
        {"image_url": f"data:image/png;base64,{IMAGE}"},
        {"image_url": {"url": f"data:image/png;base64,{IMAGE}"}},
        {"file_data": IMAGE},
        {"file_data": "short text of a file"},
        {"inline_data": {"mime_type": "image/png", "data": IMAGE}},
        {"source": {"type": "base64", "data": IMAGE}},
        {"b64_json": IMAGE},
        {"result": IMAGE},
        {"text": f"see ![x](data:image/png;base64,{IMAGE})"},
        {"encrypted_content": "short"},
        {"text": base64.encodebytes(base64.b64decode(IMAGE)).decode()},
    ],
)
def test_with_bodies_data_becomes_size_and_digest(body):
    found = written(text({"input": [body]}))
    for start in range(0, len(IMAGE) - 40, 40):
        assert IMAGE[start : start + 40] not in found
    assert "short" not in found
    assert "sha256 " in found


def test_with_bodies_uploads_are_never_written():
    body = b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nmy diary\r\n--x--\r\n'
    found = redaction.body_text(body, "multipart/form-data; boundary=x")
    assert found == {"kind": "binary", "bytes": len(body), "sha256": found["sha256"]}


def test_fields_keep_allowed_facts_only():
    assert redaction.fields({"provider": "codex", "attempt": 2, "email": "a@b.c", "x": b"1"}) == {
        "provider": "codex",
        "attempt": 2,
        "email": "<string 5>",
        "x": "<bytes>",
    }
