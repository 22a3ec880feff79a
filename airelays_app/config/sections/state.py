"""``[paths]``, ``[uploads]``, ``[responses]`` ...: what is kept on this machine, and where."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from airelays_app.config.setting import row


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """Where state lives; absolute once settings are loaded."""

    data_dir: Path = field(
        default=Path("~/.airelays"),
        metadata=row(
            "DATA_DIR",
            "The folder for the login, the relay tokens, uploads, conversations and the database. "
            "Change it to keep them on another disk; ~/.airelay is used when only that exists.",
            flag="--data-dir",
            restart=True,
        ),
    )
    logs_dir: Path = field(
        default=Path("<data_dir>/logs"),
        metadata=row(
            "LOGS_DIR",
            "The folder for the optional traffic log. Change it to keep logs off the data disk.",
            flag="--logs-dir",
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploads:
    """Limits of the local file store, in bytes."""

    max_upload_bytes: int = field(
        default=32 * 1024 * 1024,
        metadata=row(
            "MAX_UPLOAD_BYTES",
            "The largest file that POST /v1/files stores. Raise it for large documents.",
            minimum=1,
        ),
    )
    max_total_upload_bytes: int = field(
        default=256 * 1024 * 1024,
        metadata=row(
            "MAX_TOTAL_UPLOAD_BYTES",
            "The most that all stored files may take together. Raise it when uploads answer 413 "
            "although each is small.",
            minimum=1,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Responses:
    """Which replies of POST /v1/responses are kept, and how long."""

    store_by_default: bool = field(
        default=True,
        metadata=row(
            "RESPONSES_STORE_BY_DEFAULT",
            "Whether a reply is kept when the request does not say (store), as OpenAI does. Turn "
            "it off to keep only what a client asks to keep.",
        ),
    )
    retention_days: float = field(
        default=30.0,
        metadata=row(
            "RESPONSES_RETENTION_DAYS",
            "After how many days a kept reply is forgotten. Lower it to hold less of what was "
            "said.",
            minimum=0.01,
        ),
    )
    max_total_mb: int = field(
        default=1024,
        metadata=row(
            "RESPONSES_MAX_TOTAL_MB",
            "The most that all kept replies and their requests may take together, in megabytes; "
            "the oldest are forgotten first.",
            minimum=1,
        ),
    )
    background_runs: int = field(
        default=32,
        metadata=row(
            "RESPONSES_BACKGROUND_RUNS",
            "How many replies one worker process makes at once for requests with background: true. "
            "Raise it when they are refused with 429 although the upstream could do more.",
            minimum=1,
        ),
    )
    websocket: bool = field(
        default=True,
        metadata=row(
            "RESPONSES_WEBSOCKET",
            "Whether GET /v1/responses speaks the WebSocket transport, which saves agents from "
            "sending everything again each turn. Turn it off to have them use HTTP.",
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversations:
    """How stored conversations behave."""

    metadata_update: Literal["merge", "replace"] = field(
        default="merge",
        metadata=row(
            "CONVERSATIONS_METADATA_UPDATE",
            "What POST /v1/conversations/{id} does with metadata: merge it into what is stored, "
            "or replace that, as some other gateways do.",
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Batches:
    """How batches are run."""

    concurrency: int = field(
        default=2,
        metadata=row(
            "BATCHES_CONCURRENCY",
            "How many requests of batches run at once, over all workers. Few leave the quota and "
            "the local model to those who wait for an answer.",
            minimum=1,
            maximum=64,
        ),
    )
    native: bool = field(
        default=True,
        metadata=row(
            "BATCHES_NATIVE",
            "Whether a provider that has batches of its own is given the requests meant for it: at "
            "half the price, but it may take up to 24 hours. Turn it off to have the relay run all "
            "batches itself, at once.",
        ),
    )
    native_poll_seconds: int = field(
        default=30,
        metadata=row(
            "BATCHES_NATIVE_POLL_SECONDS",
            "How long after a provider has been given a batch it is first asked how far it is; the "
            "pauses double up to ten times that. Lower it if your batches are small.",
            minimum=1,
            maximum=3600,
        ),
    )
    retention_days: float = field(
        default=30.0,
        metadata=row(
            "BATCHES_RETENTION_DAYS",
            "After how many days a batch that has ended is forgotten, with its requests and "
            "results. The files of its results stay until they are deleted.",
            minimum=0.01,
        ),
    )
