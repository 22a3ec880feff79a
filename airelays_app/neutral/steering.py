"""Steering text in the middle of a conversation, for a dialect that has it at the front only."""


def as_reminder(text: str) -> str:
    """Return steering text as it stands in a turn of the user's: marked, so that a model can tell.

    The mark is the one that Claude Code uses itself (seen 2026-11-22).
    """
    return f"<system-reminder>\n{text}\n</system-reminder>"
