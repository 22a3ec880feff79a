"""Every kind of provider has a page, and a relay with the settings that it shows answers.

The settings of all pages make one configuration file; only the addresses lead to the sandbox.
"""

import re
from urllib.parse import unquote

import pytest

from airelays_app.config import load_settings
from airelays_app.config.sections.providers import PROVIDER_KINDS
from airelays_app.providers.registry import default_provider
from airelays_app.providers.vendors import VENDORS
from airelays_app.sandbox import Sandbox
from tests.docs import pages

FOLDER = pages.ROOT / "docs/providers"
ELSEWHERE = ("codex", "local")
"""They have no address to be led to the sandbox; all other tests are about them."""
KINDS = sorted(set(PROVIDER_KINDS) - set(ELSEWHERE))
MODELS = {
    "anthropic": "claude-opus-4-8",
    "gemini": "gemini-3.5-flash",
    "openrouter": "sandbox/reasoner:7b",
}
"""Where it is not ``sandbox-small``: what OpenRouter lists has a slash."""
ADD = {
    "type": "function",
    "function": {
        "name": "add",
        "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}},
    },
}


def settings_on(kind: str) -> str:
    """Return the settings that the page of a kind shows first."""
    return next(block for block in pages.blocks(f"docs/providers/{kind}.rst") if block[0] == "[")


def name_on(kind: str) -> str:
    """Return what the provider on the page of a kind is called."""
    return re.match(r"\[providers\.(\w+)\]", settings_on(kind))[1]


def address(kind: str, sandbox: Sandbox) -> tuple[str, str]:
    """Return where the stand-in for a kind is, and its key."""
    own = kind if kind in ("anthropic", "gemini", "mistral", "xai") else "compatible"
    return getattr(sandbox, f"{own}_url"), getattr(sandbox, f"{own}_key")


@pytest.fixture(scope="module")
def module_relay(start_relay, tmp_path_factory):
    """Return a relay whose configuration is that of all pages."""
    file = tmp_path_factory.mktemp("config") / "config.toml"
    file.write_text("\n\n".join(map(settings_on, KINDS)))
    file.chmod(0o600)
    with Sandbox() as sandbox, pytest.MonkeyPatch.context() as environ:
        moved = {}
        for kind in KINDS:
            own = f"PROVIDERS_{name_on(kind).upper()}"
            moved[f"{own}_BASE_URL"], key = address(kind, sandbox)
            if variable := re.search(r'api_key_env = "(\w+)"', settings_on(kind)):
                environ.setenv(variable[1], key)
            else:
                moved[f"{own}_API_KEY"] = key
        yield start_relay(sandbox=sandbox, login=False, CONFIG=str(file), **moved)


def test_every_kind_has_a_page_and_the_list_leads_there():
    assert {path.stem for path in FOLDER.glob("*.rst")} == {*PROVIDER_KINDS, "index"}
    listed = {link.removesuffix(".rst") for link in pages.links("docs/providers/index.rst")}
    assert set(PROVIDER_KINDS) <= listed


@pytest.mark.parametrize("kind", [kind for kind, vendor in VENDORS.items() if vendor.key])
def test_the_page_and_the_list_name_where_the_key_is_found(kind):
    variable = VENDORS[kind].key.name
    assert variable in pages.literals(f"docs/providers/{kind}.rst")
    assert variable in pages.literals("docs/providers/index.rst")


@pytest.mark.parametrize("kind", KINDS)
def test_a_turn_with_a_tool_on_the_settings_of_the_page(relay, kind):
    model = f"{name_on(kind)}/{MODELS.get(kind, 'sandbox-small')}"
    said = [{"role": "user", "content": '[[call add {"a": 41}]] [[then]] [[say Done.]]'}]
    asked = {"model": model, "messages": said, "tools": [ADD]}

    message = relay.ok("/v1/chat/completions", asked)["choices"][0]["message"]
    (call,) = message["tool_calls"]
    said += [message, {"role": "tool", "tool_call_id": call["id"], "content": "it is 42"}]
    answer = relay.post("/v1/chat/completions", asked)

    assert answer.json()["choices"][0]["message"]["content"] == "Done.", answer.text
    assert unquote(answer.headers["x-airelays-route"]) == model
    sent = relay.sandbox.requests[-1]
    assert b"it is 42" in sent.body
    assert address(kind, relay.sandbox)[1] in str(sent.headers)


class _Ready:
    """A provider that could be the default."""

    def __init__(self, kind):
        self.name = self.kind = kind

    def is_ready(self):
        return True


def test_the_table_of_all_pages_is_in_the_order_in_which_a_default_is_chosen():
    table = re.findall(r"^`(\w+) <\1\.rst>`_", (FOLDER / "index.rst").read_text(), re.MULTILINE)
    settings = load_settings(environ={"HOME": "/nonexistent"})
    left = {kind: _Ready(kind) for kind in reversed(table)}
    chosen = []
    while left:
        chosen.append(default_provider(settings, left))
        del left[chosen[-1]]
    assert chosen == table
    assert sorted(table) == sorted(PROVIDER_KINDS)
