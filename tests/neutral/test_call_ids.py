"""No two calls have one id upstream, and each result stays with its call."""

from hypothesis import given
from hypothesis import strategies as st

from airelays_app.neutral.call_ids import with_unique_calls
from airelays_app.neutral.request import Message, Request, Text, ToolCall, ToolResult

turns = st.lists(st.lists(st.sampled_from(["call_0", "call_1", "call_0_2"]), max_size=4))


def conversation(*turns):
    """Return a request with the calls of each turn and then their results, told by their number."""
    messages, number = [], 0
    for ids in turns:
        numbered = [(id_, number + place) for place, id_ in enumerate(ids)]
        number += len(ids)
        calls = tuple(ToolCall(id_, "f", str(place)) for id_, place in numbered)
        results = tuple(ToolResult(id_, (Text(str(place)),)) for id_, place in numbered)
        messages += [Message("assistant", calls), Message("tool", results)]
    return Request("m", tuple(messages))


def parts_of(request, kind):
    parts = [part for message in request.messages for part in message.parts]
    return [part for part in parts if isinstance(part, kind)]


@given(turns)
def test_ids_differ_and_lead_from_each_result_to_its_call(turns):
    told = with_unique_calls(conversation(*turns))

    calls = {call.call_id: call.arguments for call in parts_of(told, ToolCall)}
    results = parts_of(told, ToolResult)
    assert len(calls) == len(results) == sum(map(len, turns))
    assert all(calls[result.call_id] == result.parts[0].text for result in results)


@given(turns)
def test_what_is_added_later_changes_no_earlier_id(turns):
    whole = parts_of(with_unique_calls(conversation(*turns, ["call_1"])), ToolCall)
    begun = parts_of(with_unique_calls(conversation(*turns)), ToolCall)

    assert [call.call_id for call in whole[:-1]] == [call.call_id for call in begun]


def test_ids_that_differ_already_stay_as_they_are():
    request = conversation(["a", "b"], ["c"])

    assert with_unique_calls(request) is request


def test_a_result_without_a_call_and_a_second_one_keep_theirs():
    calls = Message("assistant", (ToolCall("a", "f", "1"), ToolCall("b", "f", "2")))
    results = [ToolResult(id_, ()) for id_ in ("gone", "a", "a", "b")]
    again = Message("assistant", (ToolCall("b", "f", "3"),))
    request = Request("m", (calls, Message("tool", tuple(results)), again))

    told = with_unique_calls(request)

    assert [part.call_id for part in parts_of(told, ToolResult)] == ["gone", "a", "a", "b"]
    assert [part.call_id for part in parts_of(told, ToolCall)] == ["a", "b", "b_2"]
