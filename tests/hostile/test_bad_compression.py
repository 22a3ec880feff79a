"""A compressed body is undone whole or refused, and a small one cannot become a large one."""

import functools
import gzip
import json
import zlib

import pytest
import zstandard

from tests.hostile.answers import post, refused
from tests.hostile.vital_signs import children_of, process_signs

MIB = 1024 * 1024
MAX_BODY = MIB
CHAT = "/v1/chat/completions"
SAID = json.dumps(
    {"model": "box/sandbox-small", "messages": [{"role": "user", "content": "hi"}]}
).encode()


@pytest.fixture(scope="module")
def module_relay(start_relay):
    """Return a relay with a small body limit."""
    return start_relay(MAX_BODY_BYTES=str(MAX_BODY))


@functools.cache
def bomb(kind, size):
    """Return ``size`` spaces in a JSON object, compressed."""
    piece = b" " * MIB
    if kind == "zstd":
        compressor = zstandard.ZstdCompressor(level=19).compressobj()
    elif kind == "gzip":
        compressor = zlib.compressobj(9, wbits=31)
    else:
        compressor = zlib.compressobj(9)
    parts = [compressor.compress(b"{")]
    parts += [compressor.compress(piece) for _ in range(size // MIB)]
    parts += [compressor.compress(b"}"), compressor.flush()]
    return b"".join(parts)


@pytest.mark.parametrize("kind", ["gzip", "deflate", "zstd"])
@pytest.mark.parametrize("path", [CHAT, "/v1/conversations"])
def test_a_compressed_bomb_is_stopped_at_the_limit(relay, path, kind):
    body = bomb(kind, 128 * MIB)
    assert len(body) < MAX_BODY
    peaks = {pid: process_signs(pid).peak for pid in children_of(relay.process.pid)}

    answer = post(relay, path, body, Content_Encoding=kind)

    assert refused(answer, 413)["code"] == "request_too_large"
    for pid, peak in peaks.items():
        assert process_signs(pid).peak < peak + 64 * MIB


WHOLE = {
    "gzip": gzip.compress(SAID),
    "deflate": zlib.compress(SAID),
    "zstd": zstandard.compress(SAID),
}


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize(
    "breaking",
    [
        lambda data: data[:-1],
        lambda data: data[: len(data) // 2],
        lambda data: data[:3],
        lambda data: data[:1],
        lambda data: b"\x00" + data,
        lambda data: data[:12] + bytes([data[12] ^ 0xFF]) + data[13:],
        lambda data: SAID,
        lambda data: b"\x28\xb5\x2f\xfd\x00\xff\x00\x00",
        lambda data: b"\x1f\x8b",
        lambda data: data + b"trailing",
        lambda data: data + data,
    ],
    ids="last half three one prefix flipped plain window magic trailing twice".split(),
)
def test_a_broken_compressed_body_is_400(relay, kind, breaking):
    body = breaking(WHOLE[kind])
    refused(post(relay, CHAT, body, Content_Encoding=kind), 400)


@pytest.mark.parametrize("kind", WHOLE)
def test_a_whole_compressed_body_is_taken(relay, kind):
    assert post(relay, CHAT, WHOLE[kind], Content_Encoding=kind).status == 200
