"""Open WebUI, started with the environment that ``airelays connect open-webui`` prints.

It is asked what its own page asks for (its ``Chat.svelte``, release 0.12.4): the page hands a
question in, and Open WebUI asks the relay and saves what it shows.
"""

import os
import shlex
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.clients.command_line import installed, printed
from tests.clients.tried import on_its_upstreams
from tests.clients.upstreams import ANTHROPIC, GOOGLE, SUBSCRIPTION
from tests.servers import free_port, running

PATIENCE = 100.0
ALONE = {
    "OFFLINE_MODE": "true",
    "ENABLE_OLLAMA_API": "false",
    "WEBUI_SECRET_KEY": "only for tests",
}
"""What keeps it from other servers, and what it has a file for otherwise."""
OWNER = {"name": "Owner", "email": "owner@example.org", "password": "only for tests"}
TOOL = '''
class Tools:
    def multiply(self, a: int, b: int) -> str:
        """
        Multiply.
        :param a: A factor.
        :param b: The other one.
        """
        return f"it is {a * b}"
'''
CALL = '[[reason I count.]] [[call multiply {"a": 6, "b": 7}]] [[then]] [[say All done.]]'
ALL_TASKS = {"title_generation": True, "tags_generation": True, "follow_up_generation": True}
FOR_ALL_TASKS = '[[say {"title": "Sums", "tags": ["maths"], "follow_ups": ["And 7?"]}]]'
"""An answer, and what is said when Open WebUI asks for something about it and quotes this."""
UNTITLED = "New Chat"
FACT = "The house at the lake is painted green."


class OpenWebUi:
    """The session of the one who has signed up first, and so is the administrator."""

    def __init__(self, url: str, session: requests.Session) -> None:
        self._url = url
        self._session = session
        token = self.post("/api/v1/auths/signup", json=OWNER)["token"]
        session.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str) -> Any:
        """Return the JSON that is at ``path``."""
        return self._asked("GET", path)

    def post(self, path: str, **options: Any) -> Any:
        """POST to ``path``; return the JSON of the answer."""
        return self._asked("POST", path, **options)

    def _asked(self, method: str, path: str, **options: Any) -> Any:
        answer = self._session.request(method, self._url + path, timeout=PATIENCE, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def hand_in(self, model: str, question: str, **fields: Any) -> "Chat":
        """Begin a chat as the page does; ``fields`` are further ones of the body."""
        message = {"id": str(uuid4()), "parentId": None, "role": "user", "content": question}
        answer_id = str(uuid4())
        body = {"stream": True, "model": model, "session_id": "a page", "parent_id": None}
        body |= {"id": answer_id, "user_message": message, "background_tasks": {}}
        begun = self.post("/api/chat/completions", json=body | fields)
        return Chat(self, begun["chat_id"], answer_id, begun["task_ids"][0])

    def answer(self, model: str, question: str, **fields: Any) -> dict[str, Any]:
        """Return the answer to the first question of a chat, as it is shown."""
        return self.hand_in(model, question, **fields).answer()


class Chat:
    """A chat that has begun: ``task`` is what works at its answer."""

    def __init__(self, open_webui: OpenWebUi, chat_id: str, answer_id: str, task: str) -> None:
        self.task = task
        self._open_webui = open_webui
        self._path = f"/api/v1/chats/{chat_id}"
        self._answer_id = answer_id

    def answer(self) -> dict[str, Any]:
        """Wait for the whole answer, or for the error that is shown in its place."""
        return awaited(self._shown, lambda shown: shown.get("done"))

    def with_all_tasks_done(self) -> tuple[str, list[str], list[str]]:
        """Wait for the title, the tags and the follow-up questions; return them."""
        answer = awaited(self._shown, lambda shown: "followUps" in shown)
        chat = awaited(self._look, lambda it: it["title"] != UNTITLED and "tags" in it["meta"])
        return chat["title"], chat["meta"]["tags"], answer["followUps"]

    def _look(self) -> dict[str, Any]:
        return dict(self._open_webui.get(self._path))

    def _shown(self) -> dict[str, Any]:
        return dict(self._look()["chat"]["history"]["messages"][self._answer_id])


def awaited(look: Callable[[], dict[str, Any]], ready: Callable[[dict], object]) -> dict[str, Any]:
    """Look until what is seen is ready; return it."""
    deadline = time.monotonic() + PATIENCE
    while not ready(seen := look()):
        assert time.monotonic() < deadline, seen
        time.sleep(0.05)
    return seen


@pytest.fixture(scope="module")
def module_relay(start_relay):
    return start_relay(vendors=True)


@pytest.fixture(scope="module")
def environ(module_relay, tmp_path_factory) -> dict[str, str]:
    """Return what it is started with: the lines that are printed, and a folder of its own."""
    *_, settings, for_documents = printed("open-webui", module_relay, SUBSCRIPTION.model)
    lines = shlex.split(settings + for_documents)
    home = tmp_path_factory.mktemp("open-webui")
    places = {"PATH": os.environ["PATH"], "HOME": str(home), "DATA_DIR": str(home / "data")}
    return ALONE | places | dict(line.split("=", 1) for line in lines)


@pytest.fixture(scope="module")
def open_webui(environ, tmp_path_factory) -> Iterator[OpenWebUi]:
    program = installed("open-webui", "open-webui/bin")
    port, log = free_port(), tmp_path_factory.mktemp("log") / "output"
    command = [program, "serve", "--host", "127.0.0.1", "--port", str(port)]
    with running(command, port=port, log=log, environ=environ), requests.Session() as session:
        session.trust_env = False
        yield OpenWebUi(f"http://127.0.0.1:{port}", session)


@pytest.fixture(scope="module")
def tool(open_webui) -> str:
    """Return the id of a tool in Python."""
    made = {"id": "sums", "name": "Sums", "content": TOOL, "meta": {"description": "Sums."}}
    return str(open_webui.post("/api/v1/tools/create", json=made)["id"])


def ids(models: dict[str, Any]) -> set[str]:
    return {model["id"] for model in models["data"]}


def test_it_offers_the_models_of_the_relay(relay, open_webui):
    assert ids(open_webui.get("/api/models")) == ids(relay.get("/v1/models").json())


@on_its_upstreams("open-webui")
def test_a_turn_with_a_function(relay, open_webui, tool, upstream):
    answer = open_webui.answer(upstream.model, CALL, tool_ids=[tool])

    assert answer["content"] == "All done.", answer
    first, second = upstream.among(relay.sandbox.requests)
    assert b"multiply" in first.body
    assert b"it is 42" in second.body


@on_its_upstreams("open-webui")
def test_a_chat_gets_its_title_tags_and_follow_up_questions(open_webui, upstream):
    chat = open_webui.hand_in(upstream.model, FOR_ALL_TASKS, background_tasks=ALL_TASKS)

    assert chat.with_all_tasks_done() == ("Sums", ["maths"], ["And 7?"])


@pytest.mark.parametrize(
    ("upstream", "seal"),
    [
        (SUBSCRIPTION, b'"encrypted_content":"'),
        (ANTHROPIC, b'"signature":"'),
        (GOOGLE, b'"thoughtSignature":"'),
    ],
    ids=lambda given: getattr(given, "name", ""),
)
def test_what_the_model_has_thought_goes_back_with_the_result_of_its_call(
    relay, open_webui, tool, upstream, seal
):
    effort = {"reasoning_effort": "high"}

    answer = open_webui.answer(upstream.model, CALL, tool_ids=[tool], params=effort)

    assert answer["output"][0]["content"] == [{"type": "output_text", "text": "I count."}]
    first, second = upstream.among(relay.sandbox.requests)
    assert seal not in first.body
    assert seal in second.body
    assert b"skip_thought_signature" not in second.body


def test_a_document_is_found_by_embeddings_of_the_relay(relay, open_webui):
    file = open_webui.post("/api/v1/files/", files={"file": ("facts.txt", FACT, "text/plain")})
    path = f"/api/v1/files/{file['id']}"
    awaited(lambda: open_webui.get(path), lambda file: file["data"]["status"] == "completed")
    attached = [{"type": "file", "id": file["id"], "name": "facts.txt"}]

    open_webui.answer(SUBSCRIPTION.model, "What colour has it?", files=attached)

    *_, of_the_question = relay.sandbox.requests.to("/embeddings")
    assert FACT not in str(of_the_question.json["input"])
    *_, asked = SUBSCRIPTION.among(relay.sandbox.requests)
    assert FACT.encode() in asked.body


def test_a_refusal_is_shown_in_the_upstream_s_words(open_webui):
    answer = open_webui.answer(SUBSCRIPTION.model, "[[behave limit]]")

    assert answer["error"] == {"content": "The usage limit has been reached"}


def test_to_stop_an_answer_ends_it_upstream(relay, open_webui):
    chat = open_webui.hand_in(SUBSCRIPTION.model, "[[behave stalled]] [[say One two three four.]]")
    requests_upstream = relay.sandbox.requests
    assert requests_upstream.wait(SUBSCRIPTION.among, timeout=PATIENCE)

    open_webui.post(f"/api/tasks/stop/{chat.task}")

    (asked,) = SUBSCRIPTION.among(requests_upstream)
    assert requests_upstream.wait_closed(asked, timeout=PATIENCE)
    assert asked.closed_early
