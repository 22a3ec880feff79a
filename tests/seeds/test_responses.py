"""``POST /v1/responses``: OpenAI's envelope in and out, on a backend that is stricter.

``input`` in every form, streamed and whole, in local conversations, with tools and files; storage
is always off upstream, missing instructions become ``"."``, structured output is brought into the
backend's form, and whatever the backend does not take is refused by name or left out and disclosed.
"""

import base64
import json

import pytest

from tests.seeds.asking import ADD, IGNORED, MODEL, RESPONSES, question, sent_texts, streamed_text
from tests.seeds.asking import text_of as text_in

MESSAGE = {"role": "user", "content": "[[say Hi]]"}
PDF = base64.b64encode(b"%PDF-1.4 \x00\xff").decode()


def text_of(answer):
    return text_in(RESPONSES, answer)


def with_file(part, text="[[say Read]]"):
    content = [{"type": "input_text", "text": text}, part]
    return {"model": MODEL, "input": [{"role": "user", "content": content}]}


def sent_part(relay):
    return relay.asked()["input"][-1]["content"][-1]


@pytest.mark.parametrize(
    "given",
    ["[[say Hi]]", MESSAGE, [MESSAGE], [{"role": "user", "content": "So?"}, MESSAGE]],
    ids=["string", "object", "array", "longer array"],
)
@pytest.mark.parametrize("stream", [False, True])
def test_input_is_a_string_an_object_or_an_array(relay, given, stream):
    body = {"model": MODEL, "input": given}

    if stream:
        assert streamed_text(RESPONSES, relay.events(RESPONSES, body)) == "Hi"
    else:
        assert text_of(relay.ok(RESPONSES, body)) == "Hi"
    assert sent_texts(relay.asked())[-1] == "[[say Hi]]"


@pytest.mark.parametrize("given", [None, 7, True, [7], ["text"], [[MESSAGE]]], ids=repr)
def test_other_input_is_refused_by_name(relay, given):
    error = relay.refusal(RESPONSES, {"model": MODEL, "input": given})

    assert error["param"].startswith("input")
    assert len(relay.sandbox.requests) == 0


def test_a_whole_answer_is_the_envelope_rebuilt_from_the_stream(relay):
    """The backend only streams, and leaves ``output`` of its last event empty."""
    answer = relay.ok(RESPONSES, question(RESPONSES, "[[say One]]", metadata={"run": "7"}))

    assert relay.asked()["stream"] is True
    assert answer["object"] == "response"
    assert answer["status"] == "completed"
    assert answer["id"].startswith("resp_")
    assert answer["model"] == MODEL
    assert answer["metadata"] == {"run": "7"}
    (item,) = answer["output"]
    assert (item["type"], item["role"], item["status"]) == ("message", "assistant", "completed")
    assert item["content"][0]["text"] == "One"
    assert answer["usage"]["total_tokens"] > 0


def test_a_stream_is_whole_and_carries_no_foreign_events(relay):
    events = relay.events(RESPONSES, question(RESPONSES, "[[say One two]]"))

    names = [event.name for event in events]
    assert names == [event.data["type"] for event in events]
    assert names[:2] == ["response.created", "response.in_progress"]
    assert names[-1] == "response.completed"
    assert all(name.startswith("response.") for name in names)
    assert names.count("response.output_text.delta") == 2
    done = [event.data["item"] for event in events if event.name == "response.output_item.done"]
    assert events[-1].data["response"]["output"] == done
    assert events[-1].data["response"]["usage"]["output_tokens"] > 0


def test_storage_is_off_upstream_whatever_the_client_says(relay):
    for store in (None, False, True):
        answer = relay.post(RESPONSES, question(RESPONSES, store=store))

        assert answer.status_code == 200
        assert relay.asked()["store"] is False
        assert IGNORED not in answer.headers


@pytest.mark.parametrize("form", [lambda id_: id_, lambda id_: {"id": id_}], ids=["string", "obj"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_conversation_is_kept_here(relay, form, stream):
    id_ = relay.ok("/v1/conversations", {})["id"]
    ask = relay.events if stream else relay.ok

    ask(RESPONSES, question(RESPONSES, "[[say first]]", conversation=form(id_)))
    ask(RESPONSES, question(RESPONSES, "[[say second]]", conversation=form(id_)))

    sent = relay.asked()
    assert sent_texts(sent) == ["[[say first]]", "first", "[[say second]]"]
    assert "conversation" not in sent


@pytest.mark.parametrize(
    ("wrong", "status", "param"),
    [(7, 422, "conversation"), ({"name": "x"}, 422, "conversation.id"), ("conv_none", 404, None)],
)
def test_a_conversation_that_is_none_is_refused(relay, wrong, status, param):
    error = relay.refusal(RESPONSES, question(RESPONSES, conversation=wrong), status)

    if param:
        assert error["param"] == param
    assert len(relay.sandbox.requests) == 0


@pytest.mark.parametrize("stream", [False, True])
def test_tools_reach_the_upstream_and_calls_come_back(relay, stream):
    body = question(RESPONSES, '[[call add {"a": 1, "b": 2}]]', tools=[ADD])

    if stream:
        final = relay.events(RESPONSES, body)[-1].data["response"]
    else:
        final = relay.ok(RESPONSES, body)

    assert relay.asked()["tools"] == [ADD]
    (call,) = final["output"]
    assert (call["type"], call["name"]) == ("function_call", "add")
    assert json.loads(call["arguments"]) == {"a": 1, "b": 2}
    assert call["call_id"]


@pytest.mark.parametrize("given", [None, "", "  ", "absent"], ids=repr)
def test_missing_instructions_become_the_least_that_is_accepted(relay, given):
    more = {} if given == "absent" else {"instructions": given}

    relay.ok(RESPONSES, question(RESPONSES, **more))

    assert relay.asked()["instructions"] == "."


def test_given_instructions_are_kept(relay):
    relay.ok(RESPONSES, question(RESPONSES, instructions="Answer in Latin."))

    assert relay.asked()["instructions"] == "Answer in Latin."


@pytest.mark.parametrize("limit", [1, 16, 100_000])
@pytest.mark.parametrize("stream", [False, True])
def test_a_token_limit_is_refused_by_name(relay, limit, stream):
    error = relay.refusal(RESPONSES, question(RESPONSES, max_output_tokens=limit, stream=stream))

    assert error["param"] == "max_output_tokens"
    assert len(relay.sandbox.requests) == 0


@pytest.mark.parametrize("stream", [False, True])
def test_a_json_schema_is_brought_into_the_backends_form(relay, stream):
    schema = {"type": "object", "properties": {"city": {"type": "string"}, "zip": {"type": "int"}}}
    schema["required"] = ["city"]
    schema["properties"]["zip"] = {"type": "integer"}
    format_ = {"type": "json_schema", "name": "place", "schema": schema}
    body = question(RESPONSES, "A city.", text={"format": format_, "verbosity": "low"})

    if stream:
        text = streamed_text(RESPONSES, relay.events(RESPONSES, body))
    else:
        text = text_of(relay.ok(RESPONSES, body))

    sent = relay.asked()["text"]
    assert sent["verbosity"] == "low"
    assert sent["format"]["name"] == "place"
    assert sent["format"]["schema"] == {
        "type": "object",
        "properties": {"city": {"type": "string"}, "zip": {"type": ["integer", "null"]}},
        "required": ["city", "zip"],
        "additionalProperties": False,
    }
    assert json.loads(text)["city"]


@pytest.mark.parametrize(
    ("format_", "param"),
    [
        ({"type": "json_object"}, "text.format.type"),
        ({"type": "xml"}, "text.format.type"),
        ({"type": "json_schema", "schema": {"type": "object"}}, "text.format.name"),
        ({"type": "json_schema", "name": "", "schema": {"type": "object"}}, "text.format.name"),
        ({"type": "json_schema", "name": "place"}, "text.format.schema"),
        ({"type": "json_schema", "name": "place", "schema": [1]}, "text.format.schema"),
        ("json", "text.format"),
    ],
    ids=str,
)
@pytest.mark.parametrize("stream", [False, True])
def test_other_formats_are_refused_by_name(relay, format_, param, stream):
    body = question(RESPONSES, "Some JSON", text={"format": format_}, stream=stream)

    error = relay.refusal(RESPONSES, body)

    assert error["param"] == param
    assert len(relay.sandbox.requests) == 0


def test_plain_text_may_be_asked_for(relay):
    assert text_of(relay.ok(RESPONSES, question(RESPONSES, text={"format": {"type": "text"}})))


def test_metadata_is_told_back_though_the_upstream_keeps_none(relay):
    body = question(RESPONSES, metadata={"run": "7"})

    for response in (
        relay.ok(RESPONSES, body),
        *(e.data["response"] for e in relay.events(RESPONSES, body) if "response" in e.data),
    ):
        assert response["metadata"] == {"run": "7"}
    assert "metadata" not in relay.asked()


@pytest.mark.parametrize("stream", [False, True])
def test_sampling_parameters_are_left_out_and_disclosed(relay, stream):
    knobs = {"temperature": 0.2, "top_p": 0.9, "presence_penalty": 1, "frequency_penalty": 1}

    answer = relay.post(RESPONSES, question(RESPONSES, **knobs, stream=stream))

    assert answer.status_code == 200
    assert answer.headers[IGNORED] == ",".join(knobs)
    assert not relay.asked().keys() & knobs


def test_nothing_is_disclosed_when_nothing_was_left_out(relay):
    assert IGNORED not in relay.post(RESPONSES, question(RESPONSES)).headers


def test_a_file_by_its_address(relay):
    part = {"type": "input_file", "file_url": "https://example.org/a.pdf"}

    relay.ok(RESPONSES, with_file(part))

    assert sent_part(relay) == part


def test_a_file_as_a_data_url(relay):
    part = {
        "type": "input_file",
        "filename": "a.pdf",
        "file_data": f"data:application/pdf;base64,{PDF}",
    }

    relay.ok(RESPONSES, with_file(part))

    assert sent_part(relay) == part


@pytest.mark.parametrize("stream", [False, True])
def test_bare_base64_becomes_a_data_url_of_the_filenames_type(relay, stream):
    part = {"type": "input_file", "filename": "a.pdf", "file_data": PDF}

    answer = relay.post(RESPONSES, {**with_file(part), "stream": stream})

    assert answer.status_code == 200
    assert sent_part(relay) == {**part, "file_data": f"data:application/pdf;base64,{PDF}"}


@pytest.mark.parametrize(
    ("filename", "kind"),
    [
        ("a.PDF", "application/pdf"),
        ("my notes.v2.md", "text/markdown"),
        ("a.csv", "text/csv"),
        ("a.json", "application/json"),
        ("a.yaml", "application/yaml"),
        ("a.py", "text/plain"),
        ("a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("a.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ],
)
def test_usual_documents_are_known_on_every_machine(relay, filename, kind):
    relay.ok(RESPONSES, with_file({"type": "input_file", "filename": filename, "file_data": PDF}))

    assert sent_part(relay)["file_data"] == f"data:{kind};base64,{PDF}"


@pytest.mark.parametrize("filename", [{}, {"filename": None}, {"filename": "a"}], ids=str)
def test_bare_base64_of_an_unknown_type_is_refused(relay, filename):
    error = relay.refusal(
        RESPONSES, with_file({"type": "input_file", "file_data": PDF, **filename})
    )

    assert error["param"] == "input[0].content[1].filename"
    assert len(relay.sandbox.requests) == 0


def test_a_stored_file_by_its_id(relay):
    stored = relay.post("/v1/files", files={"file": ("a.pdf", b"%PDF", "application/pdf")}).json()

    relay.ok(RESPONSES, with_file({"type": "input_file", "file_id": stored["id"]}))

    assert sent_part(relay) == {
        "type": "input_file",
        "filename": "a.pdf",
        "file_data": "data:application/pdf;base64," + base64.b64encode(b"%PDF").decode(),
    }
