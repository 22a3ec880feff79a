"""The systemd user unit: the relay as a service of the owner's own account."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from airelays_app.cli.failures import Failure
from airelays_app.cli.program import program_words
from airelays_app.config.locations import home_of
from airelays_app.errors import ConfigError
from airelays_app.store.private_file import replace_file

UNIT_NAME = "airelays.service"
STEPS = (
    "Let systemd read the unit: systemctl --user daemon-reload",
    "Start it now and at each login: systemctl --user enable --now airelays",
    "Keep it running while you are logged out: loginctl enable-linger",
)
"""What the owner does with the unit."""

_MARK = "# Written by: airelays init --systemd"
_TEMPLATE = f"""\
{_MARK}
# Delete this first line to keep changes of your own; better, put them into a drop-in:
# systemctl --user edit airelays

[Unit]
Description=AIRelays, a private address for every LLM client in the house

[Service]
Type=notify
NotifyAccess=main
ExecStart=@COMMAND@
ExecReload=/bin/kill -HUP $MAINPID
WatchdogSec=60
Restart=on-failure
RestartSec=5
KillMode=mixed
TimeoutStartSec=180
TimeoutStopSec=90
LimitNOFILE=65536
NoNewPrivileges=yes
MemoryDenyWriteExecute=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictRealtime=yes
LockPersonality=yes
SystemCallArchitectures=native
UMask=0077

[Install]
WantedBy=default.target
"""


def command_line(*, config_path: Path | None = None) -> list[str]:
    """Return how this installation starts the relay, ``config_path`` named if it was given."""
    named = [] if config_path is None else ["--config", str(config_path.absolute())]
    return [*program_words(), "serve", *named]


def unit_text(command: Sequence[str]) -> str:
    """Return the unit that runs ``command``."""
    return _TEMPLATE.replace("@COMMAND@", " ".join(_quoted(word) for word in command))


def install_unit(text: str, *, environ: Mapping[str, str], force: bool) -> Path:
    """Write the unit to the owner's user units and return where.

    Raises Failure for a unit that somebody has edited, unless ``force``; ConfigError without home.
    """
    path = _units_folder(environ) / UNIT_NAME
    if path.exists() and not force and not path.read_text(errors="replace").startswith(_MARK):
        raise Failure(f"{path} is not ours to change: it was edited. Replace it with --force.")
    replace_file(path, text.encode())
    return path


def _units_folder(environ: Mapping[str, str]) -> Path:
    if configured := environ.get("XDG_CONFIG_HOME"):
        return Path(configured) / "systemd/user"
    home = home_of(environ)
    if home is None:
        raise ConfigError("HOME is not set, so there is no place for the user unit")
    return home / ".config/systemd/user"


def _quoted(word: str) -> str:
    r"""Quote a word of ExecStart: ``\``, ``"``, ``$`` and ``%`` have a meaning there."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$").replace("%", "%%")
    plain = escaped == word and not set(word) & set(" \t;'")
    return word if plain else f'"{escaped}"'
