"""No secret is anywhere but in the files that are meant for it, whatever the relay went through.

Recognisable secrets are planted in every place that holds one: tokens of the owner and of devices,
the upstream's login, keys, passwords in proxy URLs, whatever a client may send along, prompts,
answers, images and files. A real relay then answers, refuses, fails and crashes, once with the
traffic log off, once with it on, once with bodies in it. Afterwards every byte that it has written
is searched: its output, its files, its answers with their headers, and what the commands print.

* Credentials are in their own files only, which are 0600, and in no log and no answer.
* Prompts and answers are in the traffic log only when the owner has turned bodies on, and in the
  database only for conversations and kept responses. Images and contents of files are never in a
  log.
"""

import base64
import json
import secrets
import signal
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.conftest import RunningRelay
from tests.household import AIRELAYS, Found, Household
from tests.security.echoing_upstream import EchoingUpstream

CRASHING = (AIRELAYS[0], "-m", "tests.security.crashing_relay", "serve")
COMMANDS = (
    ("status",),
    ("status", "--json"),
    ("doctor",),
    ("config", "show"),
    ("config", "show", "--json"),
    ("usage", "--json", "--raw"),
    ("models",),
    ("token", "list"),
    ("connect",),
    ("unblock",),
)
MODES = {
    "off": {},
    "shapes": {"LOG_TRAFFIC": "true"},
    "bodies": {"LOG_TRAFFIC": "true", "LOG_TRAFFIC_BODIES": "true"},
}


DATABASE = ".airelays/state.sqlite3"
REFUSED = (400, 404, 413, 415, 422)


def planted(name: str) -> str:
    """Return a secret of plain words, which no guess by shape finds, and twelve telling digits."""
    return f"planted-{name}-{secrets.token_hex(6)}"


@dataclass
class Secrets:
    """Where each planted secret may be found afterwards, besides with whoever sent it."""

    credentials: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    data: dict[str, str] = field(default_factory=dict)

    def credential(self, name: str, *, at_home: str = "") -> str:
        return self._plant(self.credentials, name, at_home)

    def text(self, name: str, *, at_home: str = "") -> str:
        return self._plant(self.texts, name, at_home)

    def datum(self, name: str, *, at_home: str = "") -> str:
        return self._plant(self.data, name, at_home)

    def _plant(self, kind: dict[str, str], name: str, at_home: str) -> str:
        secret = planted(name)
        kind[secret] = at_home
        return secret


class Written:
    """Every byte that came out of the relay, by where it was seen."""

    def __init__(self) -> None:
        self.places: dict[str, bytes] = {}

    def add(self, place: str, content: bytes) -> None:
        self.places[f"{len(self.places)} {place}"] = content

    def add_files(self, home: Path) -> None:
        for path in home.rglob("*"):
            if path.is_file():
                self.places[path.relative_to(home).as_posix()] = path.read_bytes()

    def holding(self, secret: str) -> Iterator[str]:
        """Yield where the secret is found, as it is or in Base64, whole or its telling end."""
        encoded = base64.b64encode(secret.encode()).rstrip(b"=")
        forms = (secret[-12:].encode(), encoded)
        for place, content in self.places.items():
            if any(form in content for form in forms):
                yield place


class Visitor:
    """A client that keeps all that it is told."""

    def __init__(self, relay: RunningRelay, written: Written) -> None:
        self._relay = relay
        self._written = written

    def send(self, method: str, path: str, **options: Any) -> requests.Response:
        answer = self._relay.request(method, path, **options)
        head = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
        self._written.add(f"answer {method} {path}", f"{head}\n\n".encode() + answer.content)
        return answer

    def ask(self, model: str, prompt: str, **options: Any) -> requests.Response:
        body = {"model": model, "messages": [{"role": "user", "content": prompt}]}
        body |= options.pop("body", {})
        return self.send("POST", "/v1/chat/completions", json=body, **options)


@dataclass
class Scene:
    """A relay with everything planted, and what came of it."""

    household: Household
    relay: RunningRelay
    secrets: Secrets
    written: Written
    visitor: Visitor
    main: str
    device: str


CONFIG = """
[upstream]
http_proxy = "http://proxy-user:{proxy_password}@127.0.0.1:9"

[providers.echo]
base_url = "{echo_url}"
api_key = "{echo_key}"
headers = {{ x-gate = "{gate}" }}

[providers.gone]
base_url = "http://127.0.0.1:9/v1"
api_key = "{gone_key}"

[providers.far]
base_url = "http://far.example/v1"
api_key = "{far_key}"
"""


@pytest.fixture(params=MODES)
def scene(request: pytest.FixtureRequest, found_household: Found) -> Iterator[Scene]:
    hidden = Secrets()
    household = found_household(
        UPSTREAM_RETRY_ATTEMPTS="0", LOG_LEVEL="debug", **MODES[request.param]
    )
    with (
        EchoingUpstream() as elsewhere,
        EchoingUpstream(
            elsewhere=elsewhere.url, cookie=hidden.credential("cookie-of-upstream")
        ) as echo,
    ):
        main, device = furnish(household, hidden, echo)
        with household.serving(command=CRASHING) as relay:
            written = Written()
            yield Scene(household, relay, hidden, written, Visitor(relay, written), main, device)
        assert elsewhere.seen == []


def furnish(household: Household, hidden: Secrets, echo: EchoingUpstream) -> tuple[str, str]:
    """Set the household up; return the main and a device's token."""
    assert household.run("init").returncode == 0
    at_home = ".config/airelays/config.toml"
    config = household.home / at_home
    values = {
        name: hidden.credential(name, at_home=at_home)
        for name in ("proxy_password", "echo_key", "gate", "gone_key", "far_key")
    }
    config.write_text(CONFIG.format(echo_url=echo.url, **values))
    main = hidden.credential("main-token", at_home=".airelays/relay-token")
    (household.data_dir / "relay-token").write_text(f"{main}\n")
    added = json.loads(household.run("token", "add", "phone", "--json").stdout)
    hidden.credentials[added["relay_token"]] = ""
    household.log_in()
    return main, added["relay_token"]


def test_no_secret_is_where_it_does_not_belong(
    scene: Scene, request: pytest.FixtureRequest
) -> None:
    succeed(scene)
    converse(scene)
    be_refused(scene)
    meet_a_bad_upstream(scene)
    crash(scene)
    lose_the_login(scene)
    mode = request.node.callspec.params["scene"]
    if mode == "off":  # the traffic log changes nothing about these
        reload_a_bad_configuration(scene)
        run_the_commands(scene)
    scene.relay.stop()
    scene.written.add_files(scene.household.home)
    require_hidden(scene, logs_texts=mode == "bodies")
    assert [line for line in scene.relay.log().splitlines() if not line.startswith("at=20")] == []


def require_hidden(scene: Scene, *, logs_texts: bool) -> None:
    """Everything planted is found where it belongs and nowhere else."""
    hidden = scene.secrets
    require_searched(scene, logs_texts=logs_texts)
    found = [
        f"{secret} in {place}"
        for kind in (hidden.credentials, hidden.data, hidden.texts)
        for secret, at_home in kind.items()
        for place in scene.written.holding(secret)
        if place != at_home
        and not (kind is not hidden.credentials and is_store(place, at_home))
        and not (kind is hidden.texts and logs_texts and "/logs/" in place)
    ]
    assert not found, "\n".join(found)


def require_searched(scene: Scene, *, logs_texts: bool) -> None:
    """The search itself works: what must be somewhere is found there."""
    kept = (scene.main, *current_tokens(scene))
    found = [place for secret in kept for place in scene.written.holding(secret)]
    assert found == [".airelays/relay-token", *[".airelays/auth.json"] * 3]
    prompt = next(iter(scene.secrets.texts))
    assert logs_texts is any("/logs/" in place for place in scene.written.holding(prompt))
    kept = next(text for text in scene.secrets.texts if text.startswith("planted-kept"))
    assert any(place.startswith(DATABASE) for place in scene.written.holding(kept))


def is_store(place: str, at_home: str) -> bool:
    """Tell whether a client's own content may be there: its own answers, and where it is kept."""
    return " answer " in place or bool(at_home and place.startswith(at_home))


def succeed(scene: Scene) -> None:
    """Use every route, each time with another way to carry the credential."""
    hidden, visitor = scene.secrets, scene.visitor
    prompt, answer = hidden.text("prompt"), hidden.text("answer")
    baggage = {
        "Cookie": f"sid={hidden.credential('cookie')}",
        "Proxy-Authorization": f"Basic {basic(hidden.credential('proxy-authorization'))}",
        "X-Api-Key": hidden.credential("other-api-key"),
        "X-Secret-Header": hidden.credential("header-of-a-gateway"),
        "Referer": f"http://home.example/?code={hidden.credential('referer')}",
    }
    said = f"{prompt} [[say {answer}]]"
    for model in ("gpt-5.5", "box/sandbox-small"):
        assert visitor.ask(model, said, headers=baggage).status_code == 200
        streamed = visitor.ask(model, said, headers=baggage, body={"stream": True})
        assert answer in streamed.text
        message = {
            "model": model,
            "max_tokens": 100,
            "messages": [{"role": "user", "content": said}],
            "metadata": {"user_id": hidden.text("user-id")},
        }
        key = {"x-api-key": scene.device, "anthropic-version": "2023-06-01"}
        messages = visitor.send("POST", "/v1/messages", token=None, headers=key, json=message)
        assert answer in messages.text
        content = {"contents": [{"parts": [{"text": said}]}]}
        path = f"/v1beta/models/{model}:streamGenerateContent?alt=sse"
        for query, key in (("", {"x-goog-api-key": scene.device}), (f"&key={scene.main}", {})):
            gemini = visitor.send("POST", path + query, token=None, headers=key, json=content)
            assert answer in gemini.text
    ways = ({"x-api-key": scene.device}, {"x-goog-api-key": scene.device})
    for way in ways:
        assert visitor.send("GET", "/v1/models", headers=way, token=None).status_code == 200
    for query in (f"key={scene.main}", f"key={scene.device}&api_key={scene.main}"):
        assert visitor.send("GET", f"/v1/models?{query}", token=None).status_code == 200
        body = {"model": "gpt-5.5", "input": said, "api_key": hidden.credential("key-in-body")}
        path = f"/v1/responses?{query}"
        assert visitor.send("POST", path, token=None, json=body).status_code in (200, 400)
    for path in ("/", "/healthz", "/health/ready", "/v1/relay/status", "/v1/subscription/status"):
        assert visitor.send("GET", path).status_code == 200
    keep_responses(scene)
    send_files(scene)


def keep_responses(scene: Scene) -> None:
    kept, not_kept = scene.secrets.text("kept", at_home=DATABASE), scene.secrets.text("not-kept")
    for text, more in ((kept, {}), (not_kept, {"store": False})):
        body = {"model": "gpt-5.5", "input": text, **more}
        assert scene.visitor.send("POST", "/v1/responses", json=body).status_code == 200


def send_files(scene: Scene) -> None:
    hidden, visitor = scene.secrets, scene.visitor
    text = hidden.datum("file", at_home=".airelays/uploads/")
    form = {"file": ("note.txt", text.encode(), "text/plain")}
    stored = visitor.send("POST", "/v1/files", files=form).json()["id"]
    assert visitor.send("GET", f"/v1/files/{stored}/content").text == text
    image = hidden.datum("image", at_home=DATABASE)
    inline = hidden.datum("inline-file", at_home=DATABASE)
    content = [
        {"type": "input_text", "text": "look"},
        {"type": "input_image", "image_url": f"data:image/png;base64,{basic(image)}"},
        {"type": "input_file", "filename": "a.txt", "file_data": basic(inline)},
        {"type": "input_file", "file_id": stored},
    ]
    body = {"model": "gpt-5.5", "input": [{"role": "user", "content": content}]}
    assert visitor.send("POST", "/v1/responses", json=body).status_code == 200
    blob = {"mimeType": "image/png", "data": basic(hidden.datum("blob"))}
    body = {"contents": [{"parts": [{"inlineData": blob}]}]}
    assert visitor.send("POST", "/v1/models/gpt-5.5:generateContent", json=body).status_code == 200


def converse(scene: Scene) -> None:
    hidden, visitor = scene.secrets, scene.visitor
    prompt = hidden.text("turn", at_home=DATABASE)
    answer = hidden.text("answered-turn", at_home=DATABASE)
    note = hidden.text("metadata", at_home=DATABASE)
    created = visitor.send("POST", "/v1/conversations", json={"metadata": {"note": note}})
    conversation = created.json()["id"]
    body = {"conversation": conversation}
    said = f"{prompt} [[say {answer}]]"
    assert visitor.ask("gpt-5.5", said, body=body).status_code == 200
    items = visitor.send("GET", f"/v1/conversations/{conversation}/items")
    assert prompt in items.text
    assert answer in items.text


def be_refused(scene: Scene) -> None:
    """Be wrong in every way, with something to hide each time; then be blocked."""
    hidden, visitor = scene.secrets, scene.visitor
    text = "some words and " + hidden.text("in-a-refused-request")
    bodies: tuple[Mapping[str, Any], ...] = (
        {"data": f'{{"input": "{text}'},
        {"data": text, "headers": {"Content-Type": "text/plain"}},
        {"json": {"model": "gpt-5.5", "input": {"role": text}, "store": text}},
        {"json": {"model": "gpt-5.5", "input": "x", "max_output_tokens": text}},
        {"json": {"model": "gpt-5.5", "input": "x", "conversation": f"conv_{text}"}},
        {"json": {"model": text, "input": "x"}},
        {"json": {"model": "box/sandbox-small", "input": "x", text: text}},
        {"json": [text], "headers": {"X-Request-Id": f"{text} {text}"}},
    )
    for options in bodies:
        assert visitor.send("POST", "/v1/responses", **options).status_code in (200, *REFUSED)
    assert visitor.send("GET", f"/v1/nothing/{text}?key={scene.device}").status_code in (401, 404)
    for wrong in wrong_credentials(hidden):
        assert visitor.send("GET", **wrong).status_code in (401, 429)


def wrong_credentials(hidden: Secrets) -> Iterable[dict[str, Any]]:
    def fresh() -> str:
        return hidden.credential("wrong")

    yield {"path": "/v1/models", "token": fresh()}
    yield {"path": "/v1/models", "token": None, "headers": {"x-api-key": fresh()}}
    yield {"path": "/v1/models", "token": None, "headers": {"x-goog-api-key": fresh()}}
    yield {"path": f"/v1/models?key={fresh()}", "token": None}
    yield {"path": f"/v1/models?token={fresh()}", "token": None}
    in_path = secrets.token_urlsafe(32)
    hidden.credentials[in_path] = ""
    yield {"path": f"/v1/{in_path}/models", "token": None}
    yield {
        "path": "/v1/models",
        "token": None,
        "headers": {"Authorization": f"Basic {basic(fresh())}"},
    }
    for _ in range(3):
        yield {"path": "/v1/models", "token": fresh()}


def meet_a_bad_upstream(scene: Scene) -> None:
    hidden, visitor = scene.secrets, scene.visitor
    for model in ("refuse", "reject", "break", "name", "plain", "page", "move"):
        text = hidden.text(f"to-{model}")
        assert visitor.ask(f"echo/{model}", text).status_code >= 400
    assert visitor.ask("echo/talk", "x").status_code == 200
    stumbling = {"model": "echo/stumble", "input": hidden.text("to-stumble"), "stream": True}
    assert "I do not take" in visitor.send("POST", "/v1/responses", json=stumbling).text
    for model in ("gone/any", "far/any"):
        assert visitor.ask(model, hidden.text("to-nobody")).status_code >= 500
    for behaviour in ("status 500", "forbidden", "limit", "garbage", "html", "cut", "failed"):
        text = hidden.text("to-the-sandbox")
        for stream in (False, True):
            said = f"{text} [[behave {behaviour}]]"
            visitor.ask("gpt-5.5", said, body={"stream": stream})
            visitor.ask("box/sandbox-small", said, body={"stream": stream})


def crash(scene: Scene) -> None:
    hidden, visitor = scene.secrets, scene.visitor
    text, answer = hidden.text("to-a-crash"), hidden.text("answer-of-a-crash")
    assert visitor.ask("box/crash", text).status_code == 500
    with pytest.raises(requests.RequestException):
        visitor.ask(
            "gpt-5.5",
            f"{text} [[say {answer} {answer}]] [[behave slow 0.1]]",
            body={"stream": True},
            headers={"X-Request-Id": "crash-late"},
        )


def lose_the_login(scene: Scene) -> None:
    """Have the login renewed, and refused; each of its tokens is a secret of its own."""
    hidden, household = scene.secrets, scene.household
    remember_login(scene)
    household.sandbox.void_access_tokens()
    assert scene.visitor.ask("gpt-5.5", "renewed").status_code == 200
    remember_login(scene)
    household.sandbox.void_access_tokens()
    household.sandbox.script("refresh_token_reused")
    assert scene.visitor.ask("gpt-5.5", hidden.text("unanswered")).status_code == 503


def remember_login(scene: Scene) -> None:
    for token in current_tokens(scene):
        scene.secrets.credentials[token] = ".airelays/auth.json"


def current_tokens(scene: Scene) -> list[str]:
    tokens = json.loads((scene.household.data_dir / "auth.json").read_text())["tokens"]
    return [tokens[name] for name in ("id_token", "access_token", "refresh_token")]


def reload_a_bad_configuration(scene: Scene) -> None:
    """A value that the log must name as wrong may itself be the secret."""
    config = scene.household.home / ".config/airelays/config.toml"
    good = config.read_text()
    wrong = scene.secrets.credential("wrong-value", at_home=".config/airelays/config.toml")
    for number, line in enumerate(
        (
            f'[providers.new]\nbase_url = "http://user:{wrong}@box.example/v1"',
            f'[providers.new]\nbase_url = "http://box.example/v1"\napi_key = "{wrong}\\n"',
            f'[providers.new]\nbase_url = "http://box.example/v1"\napi_key = ["{wrong}"]',
            f'[providers.new]\nbase_url = "http://box.example/v1"\napi_kye = "{wrong}"',
            f'[security]\nbearer_token = "{wrong}"',
            f'[providers.new]\napi_key = "{wrong}" what',
        )
    ):
        config.write_text(f"{good}\n{line}\n")
        scene.relay.process.send_signal(signal.SIGHUP)
        scene.relay.await_log("the configuration is not changed", number + 1)
        run(scene, "config", "show")
    config.write_text(good)


def run_the_commands(scene: Scene) -> None:
    for words in COMMANDS:
        run(scene, *words)
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            scene.written.add("a command line", (process / "cmdline").read_bytes())


def run(scene: Scene, *words: str) -> None:
    done = scene.household.run(*words)
    scene.written.add(" ".join(words), f"{done.stdout}{done.stderr}".encode())


def basic(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
