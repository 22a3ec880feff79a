"""A vendor's API of its own that is called with a key in a header of its own."""

from airelays_app.errors import UpstreamLoginError
from airelays_app.providers.compatible import CompatibleProvider


class KeyedProvider(CompatibleProvider):
    """One account there; nothing works without its key, which goes in ``key_header``."""

    key_header = ""

    def is_ready(self) -> bool:
        """It is ready as soon as there is a key."""
        return bool(self._options.api_key)

    def _credentials(self, path: str) -> dict[str, str]:  # noqa: ARG002
        if not self._options.api_key:
            raise UpstreamLoginError("missing", advice=self.login_advice)
        return {self.key_header: self._options.api_key}
