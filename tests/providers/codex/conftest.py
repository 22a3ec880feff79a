"""A login file in a fresh directory, and an issuer that rotates its refresh tokens."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from airelays_app.providers.codex.credentials import CredentialFile
from tests.providers.codex.rotating_issuer import RotatingIssuer, document


@pytest.fixture
def issuer() -> Iterator[RotatingIssuer]:
    with RotatingIssuer() as running:
        yield running


@pytest.fixture
def login_file(tmp_path: Path) -> CredentialFile:
    """A file whose access token has expired and whose refresh token is ``refresh-0``."""
    path = tmp_path / "home" / "auth.json"
    path.parent.mkdir(mode=0o700)
    path.write_text(json.dumps(document()))
    path.chmod(0o600)
    return CredentialFile(path)
