"""All stored files of one request have a limit, a file counted wherever it is named."""

import io
from types import SimpleNamespace

import pytest

from airelays_app.errors import TooLarge
from airelays_app.services.file_inputs import FileInputs


class Files:
    def __init__(self):
        self.opened = []

    def open(self, file_id, *, owner):
        assert owner == "main"
        self.opened.append(file_id)
        stored = SimpleNamespace(filename=file_id, content_type="application/pdf")
        return stored, io.BytesIO(b"x" * 300)


def test_a_file_is_read_once_and_counted_each_time():
    files = Files()
    resolve = FileInputs(files, max_bytes=1200).resolver("main")
    for index in range(3):
        assert len(resolve("a", f"input[{index}]").data) == 300
    with pytest.raises(TooLarge) as caught:
        resolve("a", "input[3]")
    assert caught.value.param == "input[3]"
    assert files.opened == ["a"]


def test_every_request_has_the_whole_limit():
    inputs = FileInputs(Files(), max_bytes=400)
    for _ in range(3):
        assert inputs.resolver("main")("a", "input")
    with pytest.raises(TooLarge):
        FileInputs(Files(), max_bytes=399).resolver("main")("a", "input")
