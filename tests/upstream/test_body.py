"""Which bytes belong to a body, and whether its connection may be used again."""

import pytest

from airelays_app.errors import UpstreamError
from airelays_app.upstream.body import FixedLength, UntilClose, body_of, keeps_alive
from airelays_app.upstream.dechunk import Dechunker
from airelays_app.upstream.head import parse_head


def head(*lines: str, status: int = 200, minor: int = 1):
    text = "\r\n".join([f"HTTP/1.{minor} {status} X", *lines])
    return parse_head(text.encode())


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (head("Transfer-Encoding: Chunked"), Dechunker),
        (head("Transfer-Encoding: chunked", "Content-Length: 3"), Dechunker),
        (head("Content-Length: 3"), FixedLength),
        (head("Content-Length: 3, 3"), FixedLength),
        (head("Content-Length: 3", "Content-Length: 3"), FixedLength),
        (head(), UntilClose),
        (head(status=101), UntilClose),
        (head("Transfer-Encoding: chunked", status=204), FixedLength),
        (head("Content-Length: 3", status=304), FixedLength),
    ],
)
def test_the_framing_follows_the_head(answer, kind):
    body = body_of(answer, method="POST")
    assert type(body) is kind
    assert body.done is (answer.status in {204, 304})


def test_the_answer_to_head_has_no_body():
    assert body_of(head("Content-Length: 3"), method="HEAD").done


@pytest.mark.parametrize(
    "line",
    [
        "Content-Length: -1",
        "Content-Length: +3",
        "Content-Length: 3, 4",
        "Content-Length: 3,",
        "Content-Length: ",
        "Content-Length: 0x3",
        "Content-Length: 99999999999999999999",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: identity",
    ],
)
def test_a_framing_that_cannot_be_trusted_is_refused(line):
    with pytest.raises(UpstreamError):
        body_of(head(line), method="POST")


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        (head("Content-Length: 3"), True),
        (head("Content-Length: 3", "Connection: close"), False),
        (head("Content-Length: 3", "Connection: foo, Close"), False),
        (head("Content-Length: 3", minor=0), False),
        (head("Content-Length: 3", "Connection: Keep-Alive", minor=0), True),
        (head("Content-Length: 3", "Transfer-Encoding: chunked"), False),
        (head(status=101), False),
    ],
)
def test_whether_the_connection_is_kept(answer, kept):
    assert keeps_alive(answer) is kept


def test_a_length_takes_no_more_than_its_bytes():
    body = FixedLength(5)
    assert body.feed(b"abc") == b"abc"
    assert not body.ended()
    assert body.feed(b"defg") == b"de"
    assert body.done
    assert body.surplus
