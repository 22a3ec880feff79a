"""Python's search for garbage, kept to what requests have made."""

import gc


def spare_program() -> None:
    """Leave everything that is there by now out of the search; call it before the first request.

    The program itself is never garbage. Walking it took a tenth of the CPU of 1,000 streams. The
    search is not made any rarer: large bodies in cycles would stay, and 1 MB requests then took
    three times the memory (measured 2026-11-25).
    """
    gc.collect()
    gc.freeze()
