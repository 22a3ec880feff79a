"""Run the sandbox in the foreground: ``python -m airelays_app.sandbox --port 9000``."""

import argparse
import signal
import sys
from typing import Any

from airelays_app.sandbox import wire_json
from airelays_app.sandbox.chat_chunks import VARIANTS
from airelays_app.sandbox.sandbox import Sandbox

_STOPS = {signal.SIGTERM, signal.SIGINT}


def main() -> None:
    """Serve until SIGTERM or SIGINT; the first line on stdout is a JSON object with the URLs.

    With ``--until-eof`` it serves until standard input ends: with the process that holds the
    other end, however that one ends.
    """
    options = argparse.ArgumentParser(prog="python -m airelays_app.sandbox")
    options.add_argument("--host", default="127.0.0.1")
    options.add_argument("--port", type=int, default=0)
    options.add_argument("--variant", default="openai", choices=VARIANTS)
    options.add_argument("--login", metavar="EMAIL", help="print a credential set for EMAIL too")
    options.add_argument("--until-eof", action="store_true", help="serve until stdin ends")
    chosen = options.parse_args()
    if not chosen.until_eof:
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
    with Sandbox(host=chosen.host, port=chosen.port, variant=chosen.variant) as sandbox:
        described = _addresses(sandbox)
        login = {"login": sandbox.login(email=chosen.login)} if chosen.login else {}
        sys.stdout.write(wire_json.dumps({**described, **login}).decode() + "\n")
        sys.stdout.flush()
        if chosen.until_eof:
            sys.stdin.read()
        else:
            signal.sigwait(_STOPS)


def _addresses(sandbox: Sandbox) -> dict[str, Any]:
    return {
        "codex_url": sandbox.codex_url,
        "issuer_url": sandbox.issuer_url,
        "compatible_url": sandbox.compatible_url,
        "compatible_key": sandbox.compatible_key,
        "anthropic_url": sandbox.anthropic_url,
        "anthropic_key": sandbox.anthropic_key,
        "gemini_url": sandbox.gemini_url,
        "gemini_key": sandbox.gemini_key,
        "mistral_url": sandbox.mistral_url,
        "mistral_key": sandbox.mistral_key,
        "xai_url": sandbox.xai_url,
        "xai_key": sandbox.xai_key,
    }


if __name__ == "__main__":
    main()
