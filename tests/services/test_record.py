"""What others chose the words of is in a log line only as far as it is a name."""

import pytest

from airelays_app.services.record import Record


@pytest.mark.parametrize(
    ("model", "shown"),
    [
        ("gpt-5.5", "gpt-5.5"),
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-32B:q4_K_M", None),
        ("please summarise my diary", "<25>"),
        ("box/please summarise", "box/<16>"),
        ("m" * 5000, "<5000>"),
        ("a/" * 5000, "a/" * 23 + "a..."),
    ],
)
def test_a_model_is_named_and_a_sentence_is_measured(model, shown):
    assert Record("req_1", model=model).fields()["model"] == (shown or model)


def test_fields_and_codes_of_others_are_treated_alike():
    record = Record("req_1", ignored=("top_p", "my own words"), outcome="not a code at all")
    assert record.fields()["ignored"] == "top_p,<12>"
    assert record.fields()["outcome"] == "<17>"
