"""What is written into a configuration file is what is read back, whatever the text holds."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airelays_app.config.toml_document import toml_key, toml_value
from airelays_app.errors import ConfigError

texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    texts,
    st.lists(texts),
    st.dictionaries(texts, texts),
)


@given(key=texts, value=values)
def test_written_values_are_read_back(key, value):
    assert tomllib.loads(f"{toml_key(key)} = {toml_value(value)}\n") == {key: value}


def test_text_that_toml_cannot_hold_is_refused():
    with pytest.raises(ConfigError, match="Unicode"):
        toml_value("file-\udcff")
