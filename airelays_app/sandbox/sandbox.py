"""The sandbox itself: one port that plays every upstream."""

import threading
from types import TracebackType
from typing import Any, Self

from airelays_app.sandbox.anthropic_api import BASE, Anthropic
from airelays_app.sandbox.chat_chunks import VARIANTS
from airelays_app.sandbox.chatgpt import ChatGPT
from airelays_app.sandbox.compatible import Compatible
from airelays_app.sandbox.credentials import Owner, TokenBook, account_id_of
from airelays_app.sandbox.device import DeviceLogin
from airelays_app.sandbox.gemini_api import BASE as GEMINI_BASE
from airelays_app.sandbox.gemini_api import Gemini
from airelays_app.sandbox.issuer import AuthorizationCodes, Issuer
from airelays_app.sandbox.mistral_api import BASE as MISTRAL_BASE
from airelays_app.sandbox.mistral_api import Mistral
from airelays_app.sandbox.recorded import RequestLog
from airelays_app.sandbox.routing import Router
from airelays_app.sandbox.scripts import Script
from airelays_app.sandbox.server import Listener
from airelays_app.sandbox.settings import Settings
from airelays_app.sandbox.xai_api import BASE as XAI_BASE
from airelays_app.sandbox.xai_api import XAI

_POLL_SECONDS = 0.05


class Sandbox:
    """A stand-in for the ChatGPT backend and its OAuth issuer, for Anthropic, Google, Mistral and
    xAI, and for a compatible server.

    The port is taken when the object is made, so the URLs are known before ``start``. ``settings``
    are the knobs, ``requests`` the record of what came in. Use it as a context manager, or call
    ``stop``.
    """

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, variant: str = "openai") -> None:
        if variant not in VARIANTS:
            raise ValueError(f"no variant {variant!r}; there are: {', '.join(VARIANTS)}")
        self.settings = Settings(variant=variant)
        self.requests = RequestLog()
        self._variant = variant
        self._script = Script()
        self._book = TokenBook(self.settings)
        self._compatible = Compatible(self.settings)
        self._anthropic = Anthropic(self.settings)
        self._gemini = Gemini(self.settings)
        self._mistral = Mistral(self.settings)
        self._xai = XAI(self.settings)
        self._router = Router({}, self._script)
        self._listener = Listener((host, port), self.requests, self._router.dispatch)
        self.issuer_url = f"http://{host}:{self._listener.server_address[1]}"
        self._device = self._furnish()
        self._thread = threading.Thread(target=self._listen, name="sandbox", daemon=True)

    @property
    def codex_url(self) -> str:
        """Base URL of the ChatGPT backend, as ``upstream.base_url`` wants it."""
        return f"{self.issuer_url}/backend-api/codex"

    @property
    def compatible_url(self) -> str:
        """Base URL of the OpenAI-compatible server."""
        return f"{self.issuer_url}/v1"

    @property
    def compatible_key(self) -> str:
        """The API key of the OpenAI-compatible server."""
        return self._compatible.key

    @property
    def anthropic_url(self) -> str:
        """Base URL of Anthropic's API."""
        return self.issuer_url + BASE

    @property
    def anthropic_key(self) -> str:
        """The API key of Anthropic's API."""
        return self._anthropic.key

    @property
    def gemini_url(self) -> str:
        """Base URL of Google's Gemini API."""
        return self.issuer_url + GEMINI_BASE

    @property
    def gemini_key(self) -> str:
        """The API key of Google's Gemini API."""
        return self._gemini.key

    @property
    def mistral_url(self) -> str:
        """Base URL of Mistral's API."""
        return self.issuer_url + MISTRAL_BASE

    @property
    def mistral_key(self) -> str:
        """The API key of Mistral's API."""
        return self._mistral.key

    @property
    def xai_url(self) -> str:
        """Base URL of xAI's API."""
        return self.issuer_url + XAI_BASE

    @property
    def xai_key(self) -> str:
        """The API key of xAI's API."""
        return self._xai.key

    @property
    def access_token_seconds(self) -> int:
        """How long the access tokens issued from now on will live; settable."""
        return self.settings.access_token_seconds

    @access_token_seconds.setter
    def access_token_seconds(self, seconds: int) -> None:
        self.settings.access_token_seconds = seconds

    def start(self) -> Self:
        """Begin to serve."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving and close every connection."""
        if self._thread.is_alive():
            self._listener.shutdown()
            self._thread.join()
        self._listener.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def login(
        self,
        email: str | None = None,
        plan: str | None = None,
        account_id: str | None = None,
    ) -> dict[str, str]:
        """Return a fresh credential set: id_token, access_token, refresh_token, account_id.

        An address always gets the same account id, unless one is given.
        """
        email = email or self.settings.email
        owner = Owner(email, plan or self.settings.plan, account_id or account_id_of(email))
        return self._book.login(owner)

    def script(
        self,
        name: str,
        *,
        times: int = 1,
        path: str | None = None,
        model: str | None = None,
        **options: Any,
    ) -> None:
        """Have the next ``times`` matching requests meet behaviour ``name``.

        Several names joined with ``+`` act together; the options are the first one's. Without
        ``path`` (how the request's path ends) it waits for an inference request, or where the
        behaviour belongs. Entries are matched in the order they were scripted, one per request.

        Raises:
            ValueError: an unknown behaviour or option.
        """
        self._script.add(name, times=times, path=path, model=model, options=options)

    def approve_device(self, user_code: str) -> None:
        """Approve a device login.

        Raises:
            KeyError: no such code is pending.
        """
        self._device.approve(user_code)

    def deny_device(self, user_code: str) -> None:
        """Refuse a device login.

        Raises:
            KeyError: no such code is pending.
        """
        self._device.deny(user_code)

    def void_access_tokens(self) -> None:
        """Make every access token issued so far worthless; refresh tokens stay good."""
        self._book.void_access_tokens()

    def reset(self) -> None:
        """Forget requests, scripts and settings; logins stay valid."""
        self.requests.clear()
        self._script.clear()
        self.settings.restore()
        self.settings.variant = self._variant

    def _furnish(self) -> DeviceLogin:
        codes = AuthorizationCodes()
        device = DeviceLogin(self.settings, codes, self.issuer_url)
        parts = (
            ChatGPT(self.settings, self._book),
            Issuer(self.settings, self._book, codes),
            device,
            self._compatible,
            self._anthropic,
            self._gemini,
            self._mistral,
            self._xai,
        )
        for part in parts:
            self._router.routes.update(part.routes())
        return device

    def _listen(self) -> None:
        self._listener.serve_forever(poll_interval=_POLL_SECONDS)
