"""``data:`` URLs, in which dialects carry images and documents (RFC 2397)."""

import base64
import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from airelays_app.errors import Unprocessable

_DATA_URL = re.compile(r"data:([^;,]*)((?:;[^;,]*)*),(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class DataUrl:
    """``data`` is as it stands in the URL, in base64 or percent-encoded."""

    media_type: str
    data: str
    is_base64: bool

    def base64(self) -> str:
        """Return the content in base64, as it stands there if it is that already."""
        if self.is_base64:
            return self.data
        return base64.b64encode(unquote_to_bytes(self.data)).decode()

    def text(self, path: str) -> str:
        """Return the content as text; raises Unprocessable, by ``path``, for broken base64."""
        if not self.is_base64:
            return unquote_to_bytes(self.data).decode("utf-8", "replace")
        try:
            return base64.b64decode(self.data).decode("utf-8", "replace")
        except ValueError as error:
            raise Unprocessable(f"{path} is not base64.", param=path) from error


def read_data_url(url: str) -> DataUrl | None:
    """Return what a ``data:`` URL holds; None for another URL."""
    found = _DATA_URL.fullmatch(url)
    if not found:
        return None
    return DataUrl(found[1] or "text/plain", found[3], found[2].endswith(";base64"))


def document_in(url: str, path: str) -> DataUrl:
    """Return what a document's URL holds; raises Unprocessable, by ``path``, for no ``data:``."""
    found = read_data_url(url)
    if found is None:
        raise Unprocessable(f"{path} must be a data: URL or an http(s) URL.", param=path)
    return found
