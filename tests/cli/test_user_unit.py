"""``init --systemd`` installs a user unit that starts this very installation, quoted for systemd.

Apart from the command it is the unit in ``systemd/``, which is there to be installed by hand.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

from airelays_app.cli.failures import Failure
from airelays_app.cli.user_unit import command_line, install_unit, unit_text


def exec_start(text: str) -> str:
    return next(line for line in text.splitlines() if line.startswith("ExecStart="))


def test_init_installs_it(command):
    done = command.json("init", "--systemd")
    unit = Path(done["systemd_unit"])
    assert unit == command.home / ".config/systemd/user/airelays.service"
    assert exec_start(unit.read_text()).endswith(" serve")
    assert any("systemctl --user enable --now airelays" in step for step in done["next_steps"])


def test_a_named_configuration_is_part_of_the_command(command):
    unit = command.json("init", "--systemd", "--config", str(command.home / "a.toml"))[
        "systemd_unit"
    ]
    assert f"serve --config {command.home / 'a.toml'}" in exec_start(Path(unit).read_text())


def test_the_folder_of_the_environment_is_used(tmp_path):
    environ = {"HOME": "/nowhere", "XDG_CONFIG_HOME": str(tmp_path)}
    unit = install_unit("text", environ=environ, force=False)
    assert unit == tmp_path / "systemd/user/airelays.service"


def test_a_unit_of_ours_is_renewed_and_an_edited_one_is_not(tmp_path):
    environ = {"HOME": str(tmp_path)}
    unit = install_unit(unit_text(["/old", "serve"]), environ=environ, force=False)
    install_unit(unit_text(["/new", "serve"]), environ=environ, force=False)
    assert exec_start(unit.read_text()) == "ExecStart=/new serve"
    unit.write_text("[Service]\n")
    with pytest.raises(Failure, match="--force"):
        install_unit(unit_text(["/x"]), environ=environ, force=False)
    install_unit(unit_text(["/x"]), environ=environ, force=True)
    assert exec_start(unit.read_text()) == "ExecStart=/x"


def test_words_that_mean_something_to_systemd_are_quoted():
    assert exec_start(unit_text(["/a b/$x/100%", 'say "hi"'])) == (
        'ExecStart="/a b/$$x/100%%" "say \\"hi\\""'
    )


def test_the_command_is_the_one_of_this_installation():
    assert Path(command_line()[0]).is_file()


def directives(text: str) -> list[str]:
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [line for line in lines if not line.startswith("ExecStart=")]


def test_it_is_the_unit_that_is_kept_for_installing_by_hand():
    by_hand = Path(__file__).parents[2] / "systemd/airelays-user.service"
    assert directives(unit_text(["airelays", "serve"])) == directives(by_hand.read_text())


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_finds_nothing_wrong(tmp_path):
    unit = tmp_path / "airelays.service"
    unit.write_text(unit_text(["/bin/true", "serve"]))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--user", str(unit)],
        capture_output=True,
        text=True,
        env={"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)},
    )
    assert (done.returncode, done.stderr) == (0, "")
