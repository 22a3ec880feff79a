"""``[local]``: the small model that runs on this machine."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from airelays_app.config.setting import row


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """The supervised model server. Needs the ``local`` extra and ``airelays local install``."""

    enabled: Literal["auto", "true", "false"] = field(
        default="auto",
        metadata=row(
            "LOCAL_ENABLED",
            "Whether a model on this machine is offered. auto offers it when it is installed.",
        ),
    )
    model_path: Path | None = field(
        default=None,
        metadata=row(
            "LOCAL_MODEL_PATH",
            "The GGUF file to serve. Unset serves the one that airelays local install fetched; "
            "set it to serve a larger model of your own.",
        ),
    )
    threads: int = field(
        default=1,
        metadata=row(
            "LOCAL_THREADS",
            "Threads that compute. More than one is slower on a machine that is busy with other "
            "things; raise it on an idle machine with many cores.",
            minimum=1,
            maximum=256,
        ),
    )
    context: int = field(
        default=4096,
        metadata=row(
            "LOCAL_CONTEXT",
            "Tokens of context over all slots. Raise it, within what the model was trained for, "
            "when long prompts are refused; it costs memory.",
            minimum=256,
            maximum=1048576,
        ),
    )
    slots: int = field(
        default=2,
        metadata=row(
            "LOCAL_SLOTS",
            "Requests that the model works on at once; they share the context.",
            minimum=1,
            maximum=64,
        ),
    )
    idle_seconds: int = field(
        default=600,
        metadata=row(
            "LOCAL_IDLE_SECONDS",
            "Seconds without a request after which the model's memory is freed; 0 keeps it.",
            minimum=0,
            maximum=604800,
        ),
    )
    start_seconds: int = field(
        default=60,
        metadata=row(
            "LOCAL_START_SECONDS",
            "How long the model may take to load. Raise it for a large model on a slow disk.",
            minimum=1,
            maximum=3600,
        ),
    )
