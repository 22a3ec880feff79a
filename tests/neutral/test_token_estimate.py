"""The estimate of a request's tokens is as near as it says, and everything in a request counts.

The true counts are those of OpenAI's o200k vocabulary (gpt-tokenizer 3, 2026-11-25).
"""

# ruff: noqa: RUF001 - the texts are in their own scripts
from dataclasses import replace

import pytest

from airelays_app.neutral.request import (
    File,
    HostedTool,
    Image,
    Message,
    Opaque,
    OutputFormat,
    Part,
    Reasoning,
    Request,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)
from airelays_app.neutral.token_estimate import estimate

LATIN_AND_CODE = 0.3
OTHER_SCRIPTS = 0.5
SAMPLES = {
    "English prose": (
        66,
        "The relay keeps one connection to each upstream warm, so that the "
        "first word of a reply is not late. When a client leaves in the middle "
        "of a stream, the upstream is told within a second; nobody pays for "
        "words that no one will read. Errors name the field that is wrong and "
        "say what to do about it.",
    ),
    "German prose": (
        55,
        "Das Relais hält zu jedem Anbieter eine Verbindung offen, damit das "
        "erste Wort einer Antwort nicht zu spät kommt. Verlässt ein Gerät "
        "mitten im Datenstrom den Raum, so erfährt es der Anbieter innerhalb "
        "einer Sekunde; niemand bezahlt für Wörter, die keiner mehr lesen wird.",
    ),
    "French prose": (
        59,
        "Le relais garde une connexion ouverte vers chaque fournisseur, afin "
        "que le premier mot d'une réponse n'arrive pas trop tard. Si un client "
        "s'en va au milieu du flux, le fournisseur l'apprend en moins d'une "
        "seconde ; personne ne paie pour des mots que nul ne lira.",
    ),
    "Russian prose": (
        60,
        "Посредник держит открытым соединение с каждым поставщиком, чтобы "
        "первое слово ответа не опаздывало. Если клиент уходит посреди потока, "
        "поставщик узнаёт об этом в течение секунды; никто не платит за слова, "
        "которых никто не прочтёт.",
    ),
    "Chinese prose": (
        67,
        "中继与每个上游保持一条连接，使回复的第一个字不会来得太晚。如果客户端在流的中"
        "途离开，上游会在一秒钟内得知；没有人为没有人会读的文字付费。错误信息会指出哪"
        "个字段有问题，并说明应该怎么做。",
    ),
    "Japanese prose": (
        82,
        "中継サーバーは各プロバイダーへの接続を一つずつ開いたままにして、返事の最初の"
        "言葉が遅れないようにします。クライアントが途中で離れると、一秒以内に相手へ伝"
        "わります。誰も読まない言葉にお金を払う人はいません。",
    ),
    "Python code": (
        118,
        "def below_base(base_path: str, tail: str) -> str:\n"
        '    """Return the target below a base URL whose path is base_path."""\n'
        '    version = base_path.rstrip("/").rpartition("/")[2]\n'
        '    first, slash, rest = tail.partition("/")\n'
        '    return f"/{rest}" if version and first == version and slash else '
        'f"/{tail}"\n'
        "\n"
        "\n"
        "def without_key(query: str) -> str:\n"
        '    kept = [pair for pair in query.split("&") if '
        'pair.partition("=")[0] != "key"]\n'
        '    return "&".join(kept)\n',
    ),
    "JSON": (
        176,
        "{\n"
        '  "type": "object",\n'
        '  "properties": {\n'
        '    "city": {\n'
        '      "type": "string",\n'
        '      "description": "Where to look."\n'
        "    },\n"
        '    "days": {\n'
        '      "type": "integer",\n'
        '      "minimum": 1,\n'
        '      "maximum": 14\n'
        "    },\n"
        '    "units": {\n'
        '      "enum": [\n'
        '        "metric",\n'
        '        "imperial"\n'
        "      ]\n"
        "    }\n"
        "  },\n"
        '  "required": [\n'
        '    "city",\n'
        '    "days",\n'
        '    "units"\n'
        "  ],\n"
        '  "additionalProperties": false,\n'
        '  "examples": [\n'
        "    {\n"
        '      "city": "Zürich",\n'
        '      "days": 3,\n'
        '      "units": "metric"\n'
        "    },\n"
        "    {\n"
        '      "city": "Rome",\n'
        '      "days": 14,\n'
        '      "units": "imperial"\n'
        "    }\n"
        "  ]\n"
        "}",
    ),
    "a log": (
        125,
        "2026-11-22T08:15:30.123Z INFO  request=req_8f3a status=200 "
        "dur_ms=1432 bytes=48213 path=/v1/messages\n"
        "2026-11-22T08:15:31.007Z WARN  request=req_8f3b status=429 dur_ms=12 "
        "retry_after=30 path=/v1/responses\n"
        "2026-11-22T08:15:33.551Z INFO  request=req_8f3c status=200 dur_ms=873 "
        "bytes=1022 path=/v1/models\n",
    ),
    "base64": (
        100,
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChw"
        "GA60e6kgAAAABJRU5ErkJggg9kAq3Zr7LwQx5Ty8Pb2NfGhJmKoV0cDe1sXuIt4RzHpEyW"
        "l6MvBnUqCjFgSkTdOx",
    ),
}
"""By kind: how many tokens it has, and the text."""

LONG = (
    "Thirty words or so that would be missed if they did not count at all, which is the point. " * 3
)
SCHEMA = {"type": "object", "properties": {"why": {"type": "string", "description": LONG}}}


def asked(*parts: Part) -> Request:
    return Request("m", (Message("user", parts),))


@pytest.mark.parametrize("kind", SAMPLES)
def test_the_estimate_is_as_near_as_it_says(kind: str) -> None:
    true, text = SAMPLES[kind]
    bound = OTHER_SCRIPTS if kind.startswith("Russian") else LATIN_AND_CODE

    assert estimate(asked(Text(text))) - 4 == pytest.approx(true, rel=bound)


@pytest.mark.parametrize(
    "part",
    [
        Text(LONG),
        Reasoning(LONG),
        ToolCall("c", "look", LONG),
        ToolResult("c", (Text(LONG),)),
        Opaque("messages", {"type": "web_search_result", "text": LONG}, "messages[0]"),
        Image("data:image/png;base64,AAAA"),
        ToolResult("c", (Image("data:image/png;base64,AAAA"),)),
        File("a.pdf", "data:application/pdf;base64,AAAA"),
    ],
    ids=lambda part: type(part).__name__,
)
def test_every_part_counts(part: Part) -> None:
    assert estimate(asked(part)) > estimate(asked()) + 40


@pytest.mark.parametrize(
    "more",
    [
        {"instructions": LONG},
        {"tools": (Tool("look", LONG),)},
        {"tools": (Tool("look", parameters=SCHEMA),)},
        {"tools": (HostedTool("messages", {"type": "web_search", "x": LONG}, "tools[0]"),)},
        {"format": OutputFormat("json_schema", "output", SCHEMA)},
    ],
    ids=["instructions", "description", "parameters", "hosted", "format"],
)
def test_what_is_beside_the_messages_counts_too(more: dict) -> None:
    assert estimate(replace(asked(), **more)) > estimate(asked()) + 40


def test_an_empty_request_has_at_least_one_token() -> None:
    assert estimate(Request("m", ())) == 1


@pytest.mark.parametrize("unit", ["A", "A-", " ", "é", "a b", "9"])
def test_no_text_takes_long(unit: str) -> None:
    """With the square of its length this would take an hour."""
    text = unit * (4_000_000 // len(unit))

    assert estimate(asked(Text(text))) > 0
