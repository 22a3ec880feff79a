"""The codes of google.rpc.Code, which failures inside a batch may have in place of a status."""

from collections.abc import Mapping
from types import MappingProxyType

RPC_CODES: Mapping[int, tuple[int, str]] = MappingProxyType(
    {
        3: (400, "INVALID_ARGUMENT"),
        4: (504, "DEADLINE_EXCEEDED"),
        5: (404, "NOT_FOUND"),
        7: (403, "PERMISSION_DENIED"),
        8: (429, "RESOURCE_EXHAUSTED"),
        9: (400, "FAILED_PRECONDITION"),
        11: (400, "OUT_OF_RANGE"),
        14: (503, "UNAVAILABLE"),
        16: (401, "UNAUTHENTICATED"),
    }
)
"""The status and the word that a request by itself would have had."""

CANCELLED = 1
