"""Whatever stands in the file or the environment, loading ends in settings or in a ConfigError."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airelays_app.config import settings_from
from airelays_app.config.settings import SECTIONS, TABLE, provider_settings
from airelays_app.config.showing import shown_settings, variable_of
from airelays_app.config.toml_document import Document
from airelays_app.errors import ConfigError

SECRET = "planted secret \u00e9"
KEYS = sorted({setting.name for setting in (*TABLE, *provider_settings("x"))})
SECTION_NAMES = [*SECTIONS, "providers", "x"]

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates()
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=6,
)
files = st.dictionaries(st.sampled_from(SECTION_NAMES), values, max_size=4)
variables = st.dictionaries(
    st.sampled_from(
        [variable_of(setting) for setting in (*TABLE, *provider_settings("x"))]
        + ["HOME", "AIRELAYS_PROVIDERS_", "AIRELAYS_PROVIDERS_V1_KIND", "HTTPS_PROXY"]
    ),
    st.text(max_size=20),
    max_size=6,
)


@given(data=files, environ=variables)
def test_loading_ends_in_settings_or_in_an_error_that_says_why(data, environ):
    document = Document(Path("/nowhere/config.toml"), exists=True, data=data)
    with suppress(ConfigError):
        shown_settings(settings_from(document, environ=environ))


@pytest.mark.parametrize(
    "variable",
    [variable_of(setting) for setting in (*TABLE, *provider_settings("x")) if setting.row.secret],
)
def test_a_malformed_secret_is_refused_without_being_repeated(variable):
    environ = {"HOME": "/home/me", "AIRELAYS_PROVIDERS_X_BASE_URL": "http://x", variable: SECRET}
    with pytest.raises(ConfigError, match=variable) as caught:
        settings_from(Document(), environ=environ)
    assert "planted" not in str(caught.value)
