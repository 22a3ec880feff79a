"""The pump between an upstream and a client: when the reply counts as whole, and what ends it."""

import itertools
import json
from types import SimpleNamespace

import pytest

from airelays_app.dialects import CHAT, RESPONSES
from airelays_app.dialects.base import ReplyContext
from airelays_app.errors import ClientGone, Conflict, UpstreamCut, UpstreamError, UpstreamRefused
from airelays_app.neutral.events import (
    Finished,
    PartClosed,
    PartDelta,
    PartOpened,
    Started,
    UsageSeen,
)
from airelays_app.neutral.stops import StopCutter
from airelays_app.neutral.usage import Usage
from airelays_app.services import streaming
from airelays_app.services.keeping import Keepers
from airelays_app.services.lanes import TappedLane, TranslatedLane
from airelays_app.services.streaming import Pump
from tests.dialects.readers import blocks_of, read_responses
from tests.dialects.transcripts import classify, wire_of


class FakeResponse:
    """An upstream's answer that gives ``pieces`` and raises those that are errors."""

    def __init__(self, pieces):
        self._given = iter(pieces)
        self.closed = False

    def pieces(self, *, tick):
        for piece in self._given:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    def close(self):
        self.closed = True

    def left(self):
        return list(self._given)


def context():
    return ReplyContext(id="reply", created=0, model="m", fresh_id=lambda prefix: prefix)


SAID = [
    Started("up", "m"),
    PartOpened(0, "text"),
    *(PartDelta(0, word) for word in ("One", " two", " three")),
    PartClosed(0),
    UsageSeen(Usage(input=1, output=3)),
    Finished("end"),
]
WIRE = RESPONSES.encoder(context()).feed(SAID)


def tapped(dialect=RESPONSES):
    return TappedLane(dialect.tap(classify, context()))


def translated(encoder=CHAT.encoder, decoder=RESPONSES.decoder):
    return TranslatedLane(decoder(classify), encoder=encoder(context()), collects=False)


def pump(response, lane=None, *keepers, cutter=None):
    prepared = SimpleNamespace(lane=lane or tapped(), cutter=cutter)
    return Pump(response, prepared, Keepers(*keepers))


class Keeper:
    """Notes what it is told."""

    def __init__(self, keep=lambda: None):
        self.told = []
        self._keep = keep

    def keep(self, prepared):
        self.told.append("keep")
        self._keep()

    def fail(self, prepared):
        self.told.append("fail")

    def heartbeat(self):
        self.told.append("heartbeat")


def everything(pump):
    return pump.begin() + b"".join(pump)


@pytest.mark.parametrize("lane", [tapped, translated])
@pytest.mark.parametrize("error", [UpstreamCut("cut"), UpstreamError("nonsense")], ids=str)
def test_what_breaks_after_the_end_of_the_reply_is_no_failure(lane, error):
    """Some servers close without the end of the body that HTTP asks for."""
    broken = pump(FakeResponse([WIRE, error]), lane())

    sent = everything(broken)

    assert broken.outcome == "complete"
    assert b"error" not in sent.replace(b'"error":null', b"")
    assert sent == everything(pump(FakeResponse([WIRE]), lane()))


def test_nor_is_it_for_a_whole_reply():
    response = FakeResponse([WIRE, UpstreamCut("cut")])

    pump(response).whole(most_bytes=10**6)

    assert response.closed


def test_an_upstream_that_goes_on_after_the_end_is_left(monkeypatch):
    monkeypatch.setattr(streaming, "TICK_SECONDS", 0.02)
    response = FakeResponse(itertools.chain([WIRE], itertools.repeat(b": more\n\n")))

    assert everything(pump(response)) == WIRE
    assert response.closed


def test_an_upstream_that_stays_silent_after_the_end_is_left():
    response = FakeResponse([WIRE, b"", b": more\n\n"])

    assert everything(pump(response)) == WIRE
    assert response.left()


def test_the_rest_is_read_so_that_the_connection_can_be_used_again():
    response = FakeResponse([WIRE, b": more\n\n", b": and more\n\n"])

    assert everything(pump(response)) == WIRE
    assert response.left() == []


@pytest.mark.parametrize("count", range(1, 4))
def test_a_success_is_noted_once_and_before_its_end_is_handed_on(count):
    noted = []
    pieces = [WIRE[: len(WIRE) // count], WIRE[len(WIRE) // count :], b": more\n\n"]
    keeper = Keeper(lambda: noted.append(sent[:]))
    running = pump(FakeResponse(pieces), None, keeper)
    sent = []

    sent.append(running.begin())
    sent += running

    assert len(noted) == 1
    assert b"response.completed" not in b"".join(noted[0])
    assert read_responses(b"".join(sent))["status"] == "completed"
    assert "fail" not in keeper.told


def test_a_success_that_cannot_be_noted_is_a_failure_of_the_stream():
    def refuse():
        raise Conflict("The conversation was changed meanwhile.", code="conversation_locked")

    half = len(WIRE) // 2
    keeper = Keeper(refuse)
    running = pump(FakeResponse([WIRE[:half], WIRE[half:]]), None, keeper)

    events = blocks_of(everything(running))

    assert [name for name, _ in events[-2:]] == ["error", "response.failed"]
    assert "changed meanwhile" in events[-1][1]
    assert "response.completed" not in dict(events)
    assert running.outcome == "conversation_locked"
    assert keeper.told[-2:] == ["keep", "fail"]


def test_an_error_goes_on_with_the_numbers_of_the_deltas_before_it():
    deltas = WIRE[: WIRE.index(b"event: response.output_text.done")]

    events = blocks_of(everything(pump(FakeResponse([deltas, UpstreamCut("cut")]))))

    assert [name for name, _ in events[-3:]] == [
        "response.output_text.delta",
        "error",
        "response.failed",
    ]
    assert [json.loads(data)["sequence_number"] for _, data in events] == list(range(len(events)))


def test_an_end_without_a_blank_line_is_an_end():
    assert everything(pump(FakeResponse([WIRE.rstrip(b"\n")]), translated())).endswith(
        b"data: [DONE]\n\n"
    )


@pytest.mark.parametrize("lane", [tapped, translated])
def test_what_fails_before_anything_was_said_is_raised(lane):
    first = WIRE.split(b"\n\n")[0] + b"\n\n"
    response = FakeResponse([first, UpstreamCut("The connection was cut.")])

    with pytest.raises(UpstreamCut):
        pump(response, lane()).begin()

    assert response.closed


def test_a_failure_that_came_with_the_first_words_is_raised():
    with pytest.raises(UpstreamRefused) as caught:
        pump(FakeResponse([wire_of("responses", "failed")])).begin()

    assert caught.value.status >= 400


@pytest.mark.parametrize("pieces", [[WIRE[:-200]], [WIRE[:-200], UpstreamCut("cut")]], ids=len)
def test_a_whole_reply_that_is_not_whole_is_raised(pieces):
    response = FakeResponse(pieces)

    with pytest.raises(UpstreamCut):
        pump(response).whole(most_bytes=10**6)

    assert response.closed


def test_a_client_that_leaves_ends_the_stream_and_frees_the_upstream():
    half = len(WIRE) // 2
    response = FakeResponse([WIRE[:half], ClientGone()])
    running = pump(response)

    assert everything(running) == b"".join(WIRE[:half].rpartition(b"\n\n")[:2])
    assert running.outcome == "client_gone"
    assert response.closed


def test_nothing_more_is_read_once_a_stop_sequence_has_come():
    cutter = StopCutter((" two",))
    lane = TranslatedLane(
        RESPONSES.decoder(classify),
        filters=[cutter],
        encoder=CHAT.encoder(context()),
        collects=False,
    )
    response = FakeResponse([WIRE[: WIRE.index(b" three")], b"", b"never read"])
    said = everything(pump(response, lane, cutter=cutter))
    assert said.endswith(b"data: [DONE]\n\n")
    assert response.left() == [b"", b"never read"]
    assert response.closed


@pytest.mark.parametrize("lane", [tapped, translated])
@pytest.mark.parametrize("end", [[], [UpstreamCut("cut")]], ids=["unended", "cut"])
def test_a_keeper_hears_of_a_failure_that_the_client_hears_of(lane, end):
    keeper = Keeper()
    half = len(WIRE) // 2

    everything(pump(FakeResponse([WIRE[:half], *end]), lane(), keeper))

    assert keeper.told[-1] == "fail"
    assert keeper.told.count("fail") == 1


def test_a_keeper_hears_nothing_of_a_failure_before_the_client_has_anything():
    """Another attempt at the same reply may succeed."""
    keeper = Keeper()

    with pytest.raises(UpstreamRefused):
        pump(FakeResponse([wire_of("responses", "failed")]), None, keeper).begin()

    assert set(keeper.told) <= {"heartbeat"}


def test_a_keeper_hears_of_the_end_neither_way_when_the_client_leaves():
    keeper = Keeper()

    everything(pump(FakeResponse([WIRE[: len(WIRE) // 2], ClientGone()]), None, keeper))

    assert set(keeper.told) <= {"heartbeat"}
