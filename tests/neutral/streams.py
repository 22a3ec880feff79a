"""Legal streams of events for hypothesis: several parts open at once, empty parts, half emojis in
deltas, seals, notes, usage or none, a failure at any point.
"""

from hypothesis import strategies as st

from airelays_app.neutral.events import (
    Event,
    Failed,
    Finished,
    Noted,
    PartClosed,
    PartDelta,
    PartOpened,
    PartSealed,
    Started,
    UsageSeen,
)
from airelays_app.neutral.failure import Failure
from airelays_app.neutral.fold import Fold
from airelays_app.neutral.seals import Seal
from airelays_app.neutral.usage import Usage

CALLS = ("tool_call", "custom_call")
KINDS = ("text", "refusal", "reasoning", "reasoning_text", *CALLS, "opaque")
REASONS = ("end", "length", "content_filter", "stop_sequence", "pause")
SEARCH = {"type": "web_search_call", "status": "completed"}
SERVER_TOOL = {"type": "server_tool_use", "name": "web_search", "input": {}}
OPAQUE = {"responses": ("ws", SEARCH), "messages": ("srvtoolu", SERVER_TOOL)}

texts = st.text(
    st.characters(codec="utf-8") | st.sampled_from('\ud83d\ude00\u2028\x00"\\\n'), max_size=6
)
counts = st.integers(0, 999)
usages = st.builds(Usage, counts, counts, counts, counts, counts)
failures = st.builds(
    Failure,
    kind=st.sampled_from(["limit", "client", "auth", "other"]),
    status=st.just(502),
    type=st.just("upstream_error"),
    message=st.text(max_size=5),
    code=st.none() | st.just("stream_incomplete"),
)


@st.composite
def legal_streams(draw: st.DrawFn, *, kinds: tuple[str, ...] = KINDS) -> list[Event]:
    """Draw a whole legal stream."""
    if draw(st.integers(0, 19)) == 0:
        return [Failed(draw(failures))]
    events: list[Event] = [Started("up_1", "upstream-model")]
    opened = [draw(st.sampled_from(kinds)) for _ in range(draw(st.integers(0, 5)))]
    open_parts: dict[int, str] = {}
    waiting = list(enumerate(opened))
    for _ in range(draw(st.integers(0, 25))):
        if waiting and draw(st.booleans()):
            number, kind = waiting.pop(0)
            open_parts[number] = kind
            events.append(draw(_opening(number, kind)))
        elif open_parts:
            number = draw(st.sampled_from(sorted(open_parts)))
            event = draw(_within(number, open_parts[number]))
            if isinstance(event, PartClosed):
                del open_parts[number]
            events.append(event)
    if draw(st.booleans()):
        events.append(UsageSeen(draw(usages)))
    if draw(st.integers(0, 4)) == 0:
        return [*events, Failed(draw(failures))]
    events += [PartClosed(number) for number in draw(st.permutations(sorted(open_parts)))]
    called = any(isinstance(e, PartOpened) and e.kind in CALLS for e in events)
    reasons = ("tool_use", "length") if called else REASONS
    return [*events, Finished(draw(st.sampled_from(reasons)))]


def _opening(number: int, kind: str) -> st.SearchStrategy[PartOpened]:
    if kind in CALLS:
        return st.just(PartOpened(number, kind, f"call_{number}", f"tool_{number}"))
    if kind != "opaque":
        return st.just(PartOpened(number, kind))
    return st.sampled_from(
        [
            PartOpened(number, kind, native={"id": f"{prefix}_{number}", **item}, dialect=name)
            for name, (prefix, item) in OPAQUE.items()
        ]
    )


def _within(number: int, kind: str) -> st.SearchStrategy[Event]:
    choices: list[st.SearchStrategy[Event]] = [st.just(PartClosed(number))]
    if kind != "opaque":
        choices += [st.builds(PartDelta, st.just(number), texts.filter(bool))] * 4
    if kind == "reasoning":
        seals = st.builds(
            Seal,
            st.sampled_from(["responses", "messages", "gemini"]),
            st.text(min_size=1, max_size=5),
            form=st.sampled_from(["", "redacted_thinking", "end"]),
            text=st.none() | texts,
        )
        choices.append(st.builds(PartSealed, st.just(number), seals))
    if kind == "text":
        citation = {
            "type": "url_citation",
            "url": "https://example.org/",
            "title": "A",
            "start_index": 0,
            "end_index": 1,
        }
        choices.append(st.just(Noted(number, "annotation", citation)))
    return st.one_of(choices)


def fold(events):
    """Return the reply that ``events`` make."""
    folding = Fold()
    folding.feed(events)
    return folding.reply()
