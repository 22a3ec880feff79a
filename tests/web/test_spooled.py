"""A form is copied as it came, however the network has cut it; only the model gets another name.

What is not a form is refused, and is never held in memory until that is known.
"""

from io import BytesIO

import pytest

from airelays_app.errors import BadRequest, Unprocessable
from airelays_app.web.form_stream import FormStream
from airelays_app.web.spooled import Form, Spooled

BOUNDARY = b"x-1"
PARTS = (
    (b'form-data; name="empty"', b""),
    (b'form-data; name="model"', b" box/small "),
    (b'form-data; name="a \\"quoted\\" name"; filename="my \\"song\\" \xc3\xa9.wav"', b"\r\n\n--x"),
    (b"form-data; name=file; filename*=UTF-8''%e2%82%ac.wav\r\nContent-Type: audio/wav", b"\r\n"),
    (b"form-data", b"a part without a name"),
    (b'form-data; name="model"', b"another one"),
)


def form_of(boundary, parts, *, blanks=b""):
    """Return a form in bytes; a part is its content disposition and its content."""
    written = [
        b"--%b\r\nContent-Disposition: %b\r\n\r\n%b\r\n" % (boundary, head, content)
        for head, content in parts
    ]
    return b"".join([*written, b"--%b--%b\r\n" % (boundary, blanks)])


def copied(pieces, renames=None):
    spooled = Spooled()
    form = Form(BOUNDARY, spooled, lambda model: (renames or {})[model])
    try:
        form.copy(iter(pieces))
        copy = b"".join(spooled.chunks())
    finally:
        spooled.close()
    assert len(copy) == spooled.length
    return form.boundary.encode(), copy


def test_everything_but_the_model_is_copied_wherever_the_bytes_are_cut():
    sent = form_of(BOUNDARY, PARTS, blanks=b" \t ")
    renamed = (PARTS[0], (PARTS[1][0], b"small"), *PARTS[2:])
    for size in range(20, len(sent)):
        stream = FormStream(BytesIO(sent), BOUNDARY)
        pieces = iter(lambda stream=stream, size=size: stream.read(size), b"")
        boundary, copy = copied(pieces, {"box/small": "small"})
        assert copy == form_of(boundary, renamed)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"no form",
        b"--x-1\r\n\r\na part without headers\r\n--x-1--\r\n",
        b'--x-1\r\nContent-Disposition: form-data; name="\xff"\r\n\r\n\r\n--x-1--\r\n',
        form_of(b"x-1", PARTS)[:-8],
        form_of(b"another", PARTS),
    ],
)
def test_what_is_no_form_is_refused(sent):
    with pytest.raises(BadRequest):
        copied([sent], {"box/small": "small"})


@pytest.mark.parametrize("beginning", [b"", b"--x-1\r\nContent-Disposition: ", form_of(b"x-1", [])])
def test_what_is_between_the_parts_is_not_collected(beginning):
    received = []

    def endless():
        yield beginning
        while True:
            received.append(1)
            yield b"y" * 100_000

    with pytest.raises(BadRequest):
        copied(endless())
    assert len(received) < 10


def test_a_model_that_is_too_long_is_refused_before_it_is_read():
    def endless():
        yield b'--x-1\r\nContent-Disposition: form-data; name="model"\r\n\r\n'
        while True:
            yield b"y" * 1000

    with pytest.raises(Unprocessable):
        copied(endless())
