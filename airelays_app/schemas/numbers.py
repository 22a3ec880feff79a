"""Numbers in a query."""


def whole_number(text: str, *, most: int) -> int | None:
    """Return the number from 0 to ``most`` that ASCII digits say, None for any other text.

    Python itself refuses to read digits by the thousand, because the time grows with their square.
    """
    fits = text.isascii() and text.isdecimal() and len(text) <= len(str(most))
    return int(text) if fits and int(text) <= most else None
