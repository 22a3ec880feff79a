"""``[logging]``: the lines on standard error and the optional traffic log."""

from dataclasses import dataclass, field
from typing import Literal

from airelays_app.config.setting import row


@dataclass(frozen=True, slots=True, kw_only=True)
class Logging:
    """What is logged, in which form, and how long the traffic log is kept."""

    level: Literal["debug", "info", "warning", "error"] = field(
        default="info",
        metadata=row(
            "LOG_LEVEL",
            "The least important lines that are written. info has one line for each request; "
            "debug helps while something is wrong.",
            flag="--log-level",
        ),
    )
    format: Literal["logfmt", "json"] = field(
        default="logfmt",
        metadata=row(
            "LOG_FORMAT",
            "The form of a line: logfmt for people, json for a log collector.",
        ),
    )
    traffic: bool = field(
        default=False,
        metadata=row(
            "LOG_TRAFFIC",
            "Keep a traffic log of requests and answers below paths.logs_dir, secrets removed. "
            "Turn it on to find out what a client really sends.",
        ),
    )
    traffic_bodies: bool = field(
        default=False,
        metadata=row(
            "LOG_TRAFFIC_BODIES",
            "Write prompts and answers in full into the traffic log. They are private: leave it "
            "off unless you need them. Has an effect only with logging.traffic.",
        ),
    )
    retention_days: int = field(
        default=7,
        metadata=row(
            "LOG_RETENTION_DAYS",
            "Days after which traffic logs are deleted.",
            minimum=1,
            maximum=3650,
        ),
    )
    max_total_mb: int = field(
        default=1024,
        metadata=row(
            "LOG_MAX_TOTAL_MB",
            "The most that all traffic logs may take, in MiB; the oldest go first.",
            minimum=1,
        ),
    )
    max_file_mb: int = field(
        default=50,
        metadata=row(
            "LOG_MAX_FILE_MB",
            "The size at which a traffic log file is closed and the next one begun, in MiB.",
            minimum=1,
        ),
    )
