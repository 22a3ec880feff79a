"""Run the sandbox in the foreground: ``python -m airelays_app.sandbox --port 9000``."""

import argparse
import signal
import sys

from airelays_app.sandbox import wire_json
from airelays_app.sandbox.sandbox import Sandbox


def main() -> None:
    """Serve until SIGTERM or SIGINT; the first line on stdout is a JSON object with the URLs."""
    options = argparse.ArgumentParser(prog="python -m airelays_app.sandbox")
    options.add_argument("--host", default="127.0.0.1")
    options.add_argument("--port", type=int, default=0)
    options.add_argument("--variant", default="openai")
    chosen = options.parse_args()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    with Sandbox(host=chosen.host, port=chosen.port, variant=chosen.variant) as sandbox:
        sys.stdout.write(wire_json.dumps(_addresses(sandbox)).decode() + "\n")
        sys.stdout.flush()
        signal.sigwait({signal.SIGTERM, signal.SIGINT})


def _addresses(sandbox: Sandbox) -> dict[str, str]:
    return {
        "codex_url": sandbox.codex_url,
        "issuer_url": sandbox.issuer_url,
        "compatible_url": sandbox.compatible_url,
        "compatible_key": sandbox.compatible_key,
    }


if __name__ == "__main__":
    main()
