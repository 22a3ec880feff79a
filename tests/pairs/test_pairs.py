"""Every cell of the table in docs/dialects.rst is true, on real sockets."""

import json
from contextlib import closing

import pytest

from airelays_app.config.document import replaced
from tests.pairs.clients import CLIENTS, PNG, Wish
from tests.pairs.table import BEGIN, END, FEATURES, PAGE, UPSTREAMS, YES, cell, table_rst

CALL = '[[call add {"a": 1, "b": 2}]]'
CALLS = f'{CALL} [[call add {{"a": 3, "b": 4}}]]'
SEALS = ("encrypted_content", "signature", "thoughtSignature")


@pytest.fixture(scope="module")
def module_relay(start_relay):
    """Return a relay with an upstream of each kind."""
    return start_relay(plain="responses", vendors=True)


class Pair:
    """One client in front of one upstream."""

    def __init__(self, relay, client, model):
        self.relay, self.client, self.model = relay, client, model

    def whole(self, path, body):
        return self.relay.ok(path, body)

    def streamed(self, path, body):
        path, body = self.client.streaming(path, body)
        answer = self.relay.post(path, body)
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        return self.client.read(answer.content)

    def both(self, text, wish=None):
        """Yield the request with its answer, whole and as what a stream adds up to."""
        path, body = self.client.ask(self.model, text, *filter(None, [wish]))
        for ask in (self.whole, self.streamed):
            answer = ask(path, body)
            yield path, body, answer, self.client.told(answer)

    def last_sent(self):
        return self.relay.sandbox.requests[-1].body.decode()


def text(pair):
    path, body = pair.client.ask(pair.model, "[[say Größe 🙂 one two]]")
    told = pair.client.told(pair.whole(path, body))
    assert told.text == "Größe 🙂 one two"
    assert told.tokens > 0


def stream(pair):
    path, body = pair.client.ask(pair.model, "[[say Größe 🙂 one two]]")
    told = pair.client.told(pair.streamed(path, body))
    assert told.text == "Größe 🙂 one two"
    assert told.tokens > 0


def tools(pair):
    for path, body, answer, told in pair.both(f"{CALL} [[then]] [[say three]]", Wish(tools=True)):
        assert told.calls == [("add", {"a": 1, "b": 2})]
        after = pair.whole(path, pair.client.go_on(body, answer, ["it is 3"]))
        assert "it is 3" in pair.last_sent()
        assert pair.client.told(after).text == "three"


def parallel_tools(pair):
    for path, body, answer, told in pair.both(f"{CALLS} [[then]] [[say ok]]", Wish(tools=True)):
        assert told.calls == [("add", {"a": 1, "b": 2}), ("add", {"a": 3, "b": 4})]
        after = pair.streamed(path, pair.client.go_on(body, answer, ["first 3", "then 7"]))
        sent = pair.last_sent()
        assert sent.index("first 3") < sent.index("then 7")
        assert pair.client.told(after).text == "ok"


def images(pair):
    for _, _, _, told in pair.both("[[say I see]]", Wish(image=True)):
        assert PNG in pair.last_sent()
        assert told.text == "I see"


def reasoning_round_trip(pair):
    wish = Wish(thinking=True, tools=True)
    for path, body, answer, told in pair.both(f"[[reason Hm so]] {CALL}", wish):
        assert told.reasoning == "Hm so"
        pair.whole(path, pair.client.go_on(body, answer, ["it is 3"]))
        assert seals_in(json.loads(pair.last_sent()))


def seals_in(value):
    """Return the seals anywhere in what an upstream was sent."""
    if isinstance(value, list):
        return [seal for each in value for seal in seals_in(each)]
    if not isinstance(value, dict):
        return []
    own = [value[name] for name in SEALS if value.get(name)]
    return own + seals_in(list(value.values()))


def structured_output(pair):
    for _, _, _, told in pair.both("A city.", Wish(schema=True)):
        assert json.loads(told.text) == {"city": "city"}


def errors(pair):
    path, body = pair.client.ask(pair.model, "[[say One two three]]")
    words = "the sandbox's own words"
    pair.relay.sandbox.script("status", status=400, message=words)
    answer = pair.relay.post(path, body)
    assert answer.status_code == 400
    assert words in pair.client.error(answer.json())
    pair.relay.sandbox.script("failed+slow", after=2)
    path, body = pair.client.streaming(path, body)
    broken = pair.relay.post(path, body).content.decode()
    assert '"error"' in broken
    assert "[DONE]" not in broken


CHECKS = {
    check.__name__.replace("_", " "): check
    for check in (
        *(text, stream, tools, parallel_tools, images, reasoning_round_trip),
        *(structured_output, errors),
    )
}
CELLS = [
    pytest.param(client, model, feature, id=f"{client.name} - {upstream} - {feature}")
    for client in CLIENTS
    for upstream, model in UPSTREAMS.items()
    for feature in FEATURES
    if cell(client.name, upstream, feature) == YES
]


@pytest.mark.parametrize(("client", "model", "feature"), CELLS)
def test_the_cell_is_true(relay, client, model, feature):
    CHECKS[feature](Pair(relay, client, model))


@pytest.mark.parametrize("model", UPSTREAMS.values(), ids=UPSTREAMS)
@pytest.mark.parametrize("client", CLIENTS, ids=[client.name for client in CLIENTS])
def test_what_has_been_said_is_told_while_the_rest_is_awaited(relay, client, model):
    path, body = client.streaming(*client.ask(model, "[[behave stalled 1]] [[say One two]]"))

    with closing(relay.post(path, body, stream=True)) as answer:
        seen = ""
        for piece in answer.iter_content(None):
            seen += piece.decode()
            if "One" in seen:
                break

    assert "One" in seen, seen
    assert "two" not in seen


def test_every_feature_has_its_check():
    assert set(CHECKS) == set(FEATURES)


def test_the_table_in_the_docs_is_this_one():
    page = PAGE.read_text()
    stale = "run: python -m tests.pairs.table"
    assert page == replaced(page, table_rst(), begin=BEGIN, end=END), stale
