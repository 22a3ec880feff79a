"""What a test or a demo may set about the sandbox; all fields may change while it serves."""

from dataclasses import dataclass, fields


@dataclass(slots=True)
class Settings:
    """The sandbox's knobs.

    email/plan: who logs in at the issuer. access_token_seconds: lifetime of new tokens.
    device_interval_seconds: the polling interval announced. auto_approve_polls: approve a
    device code at that poll (None: wait for ``approve_device``). used_percent and
    weekly_used_percent: how full the account's quota windows are. variant: the kind of compatible
    server (``chat_chunks.VARIANTS``). batch_looks: at which look a batch has ended.
    """

    email: str = "owner@example.org"
    plan: str = "plus"
    access_token_seconds: int = 10 * 24 * 3600
    device_interval_seconds: int = 1
    auto_approve_polls: int | None = None
    used_percent: float = 12.0
    weekly_used_percent: float = 34.0
    variant: str = "openai"
    batch_looks: int = 1

    def restore(self) -> None:
        """Set everything back to the defaults."""
        standard = Settings()
        for one in fields(self):
            setattr(self, one.name, getattr(standard, one.name))
