"""What the owner says of a server in its table is in the calls that go to it."""

from pathlib import Path

from airelays_app.config import settings_from
from airelays_app.config.toml_document import parse_document
from airelays_app.providers.base import Outgoing
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


def test_a_compatible_server_is_called_as_its_table_says(tmp_path):
    (tmp_path / "ca.pem").touch()
    environ = {"HOME": str(tmp_path), "BOX_KEY": "the key"}
    settings = settings_from(parse_document(TABLE, path=tmp_path / "c.toml"), environ=environ)
    box = build_providers(settings, Surroundings(environ=environ))["box"]

    call = box.outbound(Outgoing("responses", b"{}", stream=True))

    assert box.dialects == ("responses", "chat")
    assert (call.method, call.url) == ("POST", "https://box.lan/v1/responses")
    assert call.headers["Authorization"] == "Bearer the key"
    assert call.headers["X-Team"] == "home"
    assert (call.connect_timeout, call.read_timeout) == (3, 77)
    assert Path(call.ca_bundle or "") == tmp_path / "ca.pem"
