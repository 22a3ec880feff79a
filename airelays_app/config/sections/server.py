"""``[server]``: the address, the processes and threads, and how long anything may take."""

from dataclasses import dataclass, field

from airelays_app.config import checks
from airelays_app.config.setting import row

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """How the service listens and how much it takes on. Times are in seconds, sizes in bytes."""

    host: str = field(
        default="127.0.0.1",
        metadata=row(
            "HOST",
            "The address to listen on. 127.0.0.1 serves this machine only; the machine's own LAN "
            "address, or 0.0.0.0 for all of them, lets the other machines of the house in.",
            flag="--host",
            check=checks.host,
            restart=True,
        ),
    )
    port: int = field(
        default=8080,
        metadata=row(
            "PORT",
            "The port to listen on. Change it when something else uses it; 0 takes a free one.",
            flag="--port",
            minimum=0,
            maximum=65535,
            restart=True,
        ),
    )
    public_url: str = field(
        default="",
        metadata=row(
            "PUBLIC_URL",
            "The base URL that clients use, without /v1. Set it when a reverse proxy or a name of "
            "your network stands in front, so that the printed client settings are right.",
            check=checks.optional_url,
        ),
    )
    workers: int = field(
        default=0,
        metadata=row(
            "WORKERS",
            "Processes that answer requests. 0 takes one for each core, two at least and eight at "
            "most.",
            flag="--workers",
            minimum=0,
            maximum=64,
        ),
    )
    threads: int = field(
        default=0,
        metadata=row(
            "THREADS",
            "Threads of each process; a running stream holds one. 0 computes them from "
            "server.streams.",
            flag="--threads",
            minimum=0,
            maximum=4096,
        ),
    )
    streams: int = field(
        default=200,
        metadata=row(
            "STREAMS",
            "Streams to hold at once over all processes. Raise it when many agents run in "
            "parallel; each costs about 100 kB of memory while it runs.",
            flag="--streams",
            minimum=1,
            maximum=20000,
        ),
    )
    drain_seconds: int = field(
        default=3600,
        metadata=row(
            "DRAIN_SECONDS",
            "How long running requests may go on in the old processes after a reload. New "
            "requests are answered by the new ones meanwhile.",
            minimum=0,
            maximum=86400,
        ),
    )
    stop_seconds: int = field(
        default=60,
        metadata=row(
            "STOP_SECONDS",
            "How long running requests may go on when the service is stopped. Raise it when long "
            "answers matter more than a quick stop.",
            minimum=0,
            maximum=86400,
        ),
    )
    header_seconds: float = field(
        default=15.0,
        metadata=row(
            "HEADER_SECONDS",
            "How long a client may take to send the head of a request before it is cut off. Raise "
            "it only for very slow links.",
            minimum=0.1,
            maximum=600,
        ),
    )
    body_seconds: float = field(
        default=60.0,
        metadata=row(
            "BODY_SECONDS",
            "The longest pause within a request body; a whole body has this long too, and longer "
            "the more of it has arrived. Raise it when uploads over a slow link fail.",
            minimum=0.1,
            maximum=3600,
        ),
    )
    send_seconds: float = field(
        default=120.0,
        metadata=row(
            "SEND_SECONDS",
            "How long a client may take in nothing while an answer waits for it, before it counts "
            "as gone. Raise it for clients that pause their reading.",
            minimum=0.1,
            maximum=86400,
        ),
    )
    idle_connection_seconds: int = field(
        default=75,
        metadata=row(
            "IDLE_CONNECTION_SECONDS",
            "How long a connection without a request is kept open for the client's next one.",
            minimum=1,
            maximum=3600,
        ),
    )
    keepalive_seconds: float = field(
        default=15.0,
        metadata=row(
            "KEEPALIVE_SECONDS",
            "The pause after which a silent stream sends its client a sign of life. Lower it when "
            "something between you and the relay cuts silent connections sooner.",
            minimum=0.1,
            maximum=3600,
        ),
    )
    max_body_bytes: int = field(
        default=64 * MIB,
        metadata=row(
            "MAX_BODY_BYTES",
            "The largest JSON request body, counted after decompression. Raise it for requests "
            "with many inline images or documents.",
            minimum=1024,
        ),
    )
    max_inflight_bytes: int = field(
        default=512 * MIB,
        metadata=row(
            "MAX_INFLIGHT_BYTES",
            "The most memory that request bodies may take over all requests at once; beyond it "
            "clients are asked to come again. Lower it on a small machine.",
            minimum=1024,
        ),
    )
