"""One model server per data directory, alive exactly as long as the relay that owns it.

Rules: started on first use and found by everyone after that; exactly one, however many ask at
once; replaced after a crash, by whoever needs it next; ended with its owner and not with the
worker that happened to start it; a failed start is an error that says what to do, it leaves
nothing running and is not repeated by those who waited for it; stale files do no harm; the key
is in no command line, environment or open file mode.
"""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from airelays_app.errors import Unavailable
from airelays_app.providers.local.process import ProcessId, process_id
from airelays_app.providers.local.provider import LocalProvider
from airelays_app.providers.local.supervisor import Endpoint, LocalServer, ServerOptions

_PATIENCE = 60.0


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


def pid_of(server: LocalServer) -> int:
    pid = server.status().pid
    assert pid is not None
    return pid


def connects(endpoint: Endpoint) -> bool:
    if endpoint.socket_path is None:
        host, port = endpoint.base_url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=_PATIENCE):
            return True
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(endpoint.socket_path))
        return True


@pytest.fixture
def owner() -> Iterator["subprocess.Popen[bytes]"]:
    """Return a process that does nothing but live, to be the relay's master."""
    with subprocess.Popen(["sleep", "3600"]) as process:
        yield process
        process.kill()


def asking_program(data: Path, model: Path, owner_pid: int) -> list[str]:
    """Return a command that asks for the server once, as a worker would, and prints its pid."""
    program = f"""
        from pathlib import Path
        from airelays_app.providers.local.supervisor import LocalServer, ServerOptions
        server = LocalServer(
            Path({str(data)!r}), ServerOptions(model=Path({str(model)!r})), {owner_pid}
        )
        input()
        server.address()
        print(server.status().pid)
    """
    return [sys.executable, "-c", textwrap.dedent(program)]


def test_the_first_use_starts_it_and_the_next_ones_find_it(new_server, starts):
    endpoint = new_server().address()
    assert connects(endpoint)
    assert new_server().address() == endpoint
    assert starts() == [pid_of(new_server())]


def test_a_killed_server_is_replaced_by_the_next_call(new_server, starts):
    server = new_server()
    first = server.address()
    os.kill(pid_of(server), signal.SIGKILL)
    wait_until(lambda: not server.status().running)
    second = server.address()
    assert connects(second)
    assert second.api_key != first.api_key
    assert len(starts()) == 2


def test_many_processes_asking_at_once_get_one_server(new_server, model_file, starts, tmp_path):
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    command = asking_program(data, model_file, os.getpid())
    workers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(4)
    ]
    answers = {worker.communicate(b"go\n")[0] for worker in workers}
    assert answers == {b"%d\n" % pid_of(new_server())}
    assert len(starts()) == 1


def test_many_threads_asking_at_once_get_one_server(new_server, starts):
    server = new_server()
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(server.address())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8
    assert len(set(answers)) == 1
    assert len(starts()) == 1


def test_it_outlives_the_worker_that_started_it(new_server, model_file, tmp_path):
    command = asking_program(tmp_path / "data", model_file, os.getpid())
    answer = subprocess.run(command, input=b"go\n", capture_output=True, check=True).stdout
    assert int(answer) == pid_of(new_server())
    assert connects(new_server().address())
    assert int(answer) == pid_of(new_server())


def test_it_ends_with_its_owner(new_server, owner):
    server = new_server(owner.pid)
    server.address()
    process = process_id(pid_of(server))
    assert isinstance(process, ProcessId)
    owner.kill()
    wait_until(lambda: not process.alive())


def test_a_server_whose_owner_is_gone_is_not_used_any_more(new_server, owner, starts):
    orphan = new_server(owner.pid).address()
    owner.kill()
    owner.wait()
    endpoint = new_server().address()
    assert endpoint.api_key != orphan.api_key
    assert connects(endpoint)
    wait_until(lambda: process_id(starts()[0]) is None)


def test_an_owner_that_is_gone_gets_no_server(new_server, owner, starts):
    owner.kill()
    owner.wait()
    with pytest.raises(Unavailable, match="shutting down"):
        new_server(owner.pid).address()
    assert starts() == []


def test_a_load_whose_starter_was_killed_is_finished_and_used(
    new_server, model_file, starts, tmp_path
):
    model_file.write_text("gate")
    command = asking_program(tmp_path / "data", model_file, os.getpid())
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as starter:
        starter.stdin.write(b"go\n")
        starter.stdin.flush()
        wait_until(starts)
        starter.kill()
    Path(f"{model_file}.open").touch()
    assert connects(new_server().address())
    assert starts() == [pid_of(new_server())]


def test_a_hung_start_times_out_and_leaves_nothing_running(new_server, model_file, starts):
    model_file.write_text("hang")
    server = new_server(start_seconds=1.0)
    with pytest.raises(Unavailable, match=r"local\.start_seconds.*airelays doctor") as caught:
        server.address()
    assert caught.value.headers["Retry-After"]
    wait_until(lambda: process_id(starts()[0]) is None if starts() else True)
    model_file.write_text("serve")
    assert connects(new_server().address())


def test_those_who_waited_for_a_failed_start_do_not_repeat_it(new_server, model_file, starts):
    model_file.write_text("hang")
    errors = []

    def ask() -> None:
        with pytest.raises(Unavailable) as caught:
            new_server(start_seconds=2.0).address()
        errors.append(caught.value.message)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(errors) == 4
    assert len(starts()) <= 2
    assert time.monotonic() - began < _PATIENCE


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        ("die", "ended while it was starting"),
        ("refuse", "that local.model_path names"),
    ],
)
def test_a_failed_start_is_named_and_can_be_tried_again(new_server, model_file, behaviour, words):
    model_file.write_text(behaviour)
    with pytest.raises(Unavailable, match=words):
        new_server().address()
    model_file.write_text("serve")
    assert connects(new_server().address())


def test_a_failure_before_the_machine_was_booted_again_refuses_nothing(new_server, tmp_path):
    server = new_server()
    folder = tmp_path / "data" / "local"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "failed.json").write_text(json.dumps([time.monotonic() + 500_000, "slow"]))
    assert connects(server.address())


def test_missing_weights_name_the_command_that_fetches_them(tmp_path):
    server = LocalServer(tmp_path, ServerOptions(), os.getpid())
    with pytest.raises(Unavailable, match="airelays local install"):
        server.address()
    assert server.status().installed is False


def test_a_missing_file_of_the_owner_s_own_names_the_setting_and_no_remedy_that_would_not_help(
    tmp_path,
):
    server = LocalServer(tmp_path, ServerOptions(model=tmp_path / "none.gguf"), os.getpid())
    with pytest.raises(Unavailable, match=r"local\.model_path") as caught:
        server.address()
    assert "install" not in caught.value.message
    assert str(tmp_path) not in caught.value.message
    assert LocalProvider("local", server, read_timeout=1).status()["problem"] == "no_model_file"


def test_a_missing_library_names_the_extra(new_server, tmp_path):
    (tmp_path / "library" / "xllamacpp.py").write_text("raise ImportError('not here')\n")
    with pytest.raises(Unavailable, match=r"pip install 'airelays\[local\]'"):
        new_server().address()


def test_a_data_directory_that_cannot_be_written_is_an_error(tmp_path, model_file, fake_llama):
    (tmp_path / "file").write_text("not a directory")
    options = ServerOptions(model=model_file)
    server = LocalServer(tmp_path / "file", options, os.getpid())
    with pytest.raises(Unavailable, match="could not be started") as caught:
        server.address()
    assert str(tmp_path) not in caught.value.message


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"[]", b"null", b'{"pid": "x"}', b'{"pid": 1, "started": 1}'],
)
def test_an_unreadable_state_file_is_replaced_and_the_server_behind_it_ends(
    new_server, starts, tmp_path, content
):
    new_server().address()
    (tmp_path / "data" / "local" / "server.json").write_bytes(content)
    assert connects(new_server().address())
    wait_until(lambda: process_id(starts()[0]) is None)
    assert len(starts()) == 2
    assert pid_of(new_server()) == starts()[1]


def test_a_state_file_that_names_another_process_is_not_believed(new_server, starts, tmp_path):
    local = tmp_path / "data" / "local"
    local.mkdir(parents=True)
    state = {
        "pid": os.getpid(),
        "started": 1,
        "owner_pid": os.getpid(),
        "owner_started": process_id(os.getpid()).started,
        "socket_path": "/nowhere",
        "base_url": None,
        "api_key": "stale",
    }
    (local / "server.json").write_text(json.dumps(state))
    assert new_server().address().api_key != "stale"
    assert len(starts()) == 1


def test_a_stale_socket_file_is_in_nobodys_way(new_server, tmp_path):
    local = tmp_path / "data" / "local"
    local.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as left_over:
        left_over.bind(str(local / "server.sock"))
    assert connects(new_server().address())


def test_a_path_too_long_for_a_socket_means_a_loopback_port(tmp_path, model_file, fake_llama):
    data = tmp_path / ("long" * 30)
    server = LocalServer(data, ServerOptions(model=model_file), os.getpid())
    try:
        endpoint = server.address()
        assert endpoint.socket_path is None
        assert endpoint.base_url.startswith("http://127.0.0.1:")
        assert connects(endpoint)
    finally:
        server.stop()


def test_a_model_of_the_owner_s_own_writes_to_the_end_of_its_answers(new_server, model_file):
    new_server().address()

    assert Path(f"{model_file}.longest").read_text() == "-1"


def test_stop_ends_it_at_once_and_may_be_repeated(new_server, tmp_path):
    server = new_server()
    server.stop()
    server.address()
    process = process_id(pid_of(server))
    server.stop()
    assert not process.alive()
    server.stop()
    assert server.status().running is False
    assert not list((tmp_path / "data" / "local").glob("server.[js]*"))
    assert connects(server.address())


def test_a_server_whose_state_file_was_removed_ends_itself(new_server, tmp_path):
    server = new_server()
    server.address()
    process = process_id(pid_of(server))
    (tmp_path / "data" / "local" / "server.json").unlink()
    wait_until(lambda: not process.alive())


def test_the_key_is_private(new_server, tmp_path):
    server = new_server()
    endpoint = server.address()
    process = Path(f"/proc/{pid_of(server)}")
    assert len(endpoint.api_key) >= 32
    assert endpoint.api_key not in repr(endpoint)
    assert endpoint.api_key.encode() not in (process / "cmdline").read_bytes()
    assert endpoint.api_key.encode() not in (process / "environ").read_bytes()
    local = tmp_path / "data" / "local"
    assert stat.S_IMODE(local.stat().st_mode) == 0o700
    for entry in local.iterdir():
        assert stat.S_IMODE(entry.lstat().st_mode) & 0o077 == 0, entry.name


def test_the_listening_sockets_of_the_relay_are_not_inherited(new_server):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.set_inheritable(True)
        inode = f"socket:[{os.fstat(listener.fileno()).st_ino}]"
        server = new_server()
        server.address()
        descriptors = Path(f"/proc/{pid_of(server)}/fd").iterdir()
        assert inode not in {os.readlink(entry) for entry in descriptors}


def test_no_zombie_is_left_to_the_worker(new_server):
    server = new_server()
    server.address()
    pid = pid_of(server)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: process_id(pid) is None)
    with pytest.raises(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
