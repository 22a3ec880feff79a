"""What the owner says of a server in its table is in the calls that go to it, and to it alone."""

from pathlib import Path

import pytest

from airelays_app.config import settings_from
from airelays_app.config.toml_document import parse_document
from airelays_app.providers.base import Outgoing, Relayed
from airelays_app.providers.registry import Surroundings, build_providers

TABLE = """
[upstream]
connect_timeout_seconds = 3

[providers.box]
base_url = "https://box.lan/v1/"
api_key_env = "BOX_KEY"
headers = { X-Team = "home" }
dialects = ["responses", "chat"]
timeout_seconds = 77
ca_bundle = "ca.pem"
"""


def providers(tmp_path, table, **environ):
    environ = {"HOME": str(tmp_path), **environ}
    settings = settings_from(parse_document(table, path=tmp_path / "c.toml"), environ=environ)
    return build_providers(settings, Surroundings(environ=environ))


def test_a_compatible_server_is_called_as_its_table_says(tmp_path):
    (tmp_path / "ca.pem").touch()
    box = providers(tmp_path, TABLE, BOX_KEY="the key")["box"]

    call = box.outbound(Outgoing("responses", b"{}", stream=True))

    assert box.dialects == ("responses", "chat")
    assert (call.method, call.url) == ("POST", "https://box.lan/v1/responses")
    assert call.headers["Authorization"] == "Bearer the key"
    assert call.headers["X-Team"] == "home"
    assert (call.connect_timeout, call.read_timeout) == (3, 77)
    assert Path(call.ca_bundle or "") == tmp_path / "ca.pem"


@pytest.mark.parametrize("kind", ["compatible", "anthropic", "gemini", "groq"])
def test_two_servers_of_a_kind_keep_their_keys_apart(tmp_path, kind):
    table = "".join(
        f'[providers.{name}]\nkind = "{kind}"\nbase_url = "https://{name}.lan/v1"\n'
        f'api_key = "key-of-{name}"\n'
        for name in ("first", "second")
    )
    found = providers(tmp_path, table)

    for name in ("first", "second"):
        asked = Outgoing(found[name].dialects[0], b"{}", stream=False, model="m")
        told = found[name].outbound(asked)
        relayed = found[name].relayed(Relayed("GET", "/anything"))
        for call in (told, relayed, found[name].models_request()):
            keys = [value for value in call.headers.values() if "key-of-" in value]
            assert call.url.startswith(f"https://{name}.lan/v1/")
            assert [key.removeprefix("Bearer ") for key in keys] == [f"key-of-{name}"]


def test_a_catalogue_names_its_models_by_id_or_by_model_and_nothing_else_is_one(tmp_path):
    box = providers(tmp_path, '[providers.box]\nbase_url = "https://box.lan/v1"\n')["box"]
    entries = [{"id": "a"}, {"model": "b"}, {"id": "c", "model": "d"}]
    nameless = [{}, {"id": ""}, {"id": 7}, {"id": None, "model": {}}, "e", None]

    listed = box.read_models({"data": [*entries, *nameless]})

    assert [model.id for model in listed] == ["a", "b", "c"]
