"""Whatever an upstream writes as its usage, the counts are counts and nothing fails."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airelays_app.dialects import DIALECTS
from airelays_app.neutral.usage import Usage

NAMES = {
    "responses": "input_tokens output_tokens total_tokens cached_tokens reasoning_tokens",
    "chat": "prompt_tokens completion_tokens total_tokens cached_tokens reasoning_tokens",
    "completions": "prompt_tokens completion_tokens total_tokens",
    "messages": "input_tokens output_tokens cache_read_input_tokens thinking_tokens",
    "gemini": "promptTokenCount candidatesTokenCount thoughtsTokenCount totalTokenCount",
}
DETAILS = (
    "input_tokens_details output_tokens_details prompt_tokens_details completion_tokens_details "
    "cache_creation iterations"
).split()
numbers = st.integers() | st.floats() | st.booleans() | st.none() | st.text(max_size=3)


def usages(dialect):
    counts = st.dictionaries(st.sampled_from(NAMES[dialect].split()), numbers)
    details = st.dictionaries(st.sampled_from(DETAILS), counts | numbers | st.lists(counts))
    return st.builds(dict.__or__, details, counts) | numbers | st.lists(numbers)


@pytest.mark.parametrize("dialect", DIALECTS)
@settings(max_examples=40)
@given(data=st.data())
def test_counts_are_never_negative_and_nothing_else_than_counts(dialect, data):
    read = DIALECTS[dialect].read_usage(data.draw(usages(dialect)))

    if read is not None:
        counts = [getattr(read, name) for name in Usage.__dataclass_fields__]
        assert all(type(count) is int and count >= 0 for count in counts)
        assert read.total == sum(counts)


def test_what_a_server_counts_beside_tokens_is_no_count():
    """Groq's usage has times, with fractions."""
    raw = {"prompt_tokens": 38, "queue_time": 0.05, "completion_tokens": 4, "total_time": 0.02}

    assert DIALECTS["chat"].read_usage(raw) == Usage(input=38, output=4)
