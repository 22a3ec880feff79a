"""Rules of a running server: reload, drain, stop, and workers that die.

* HUP checks first: what cannot be loaded or booted changes nothing.
* A reload waits for nobody: streams go on in the old workers, new ones serve at once, a dead
  worker is replaced meanwhile.
* TERM and INT stop accepting at once and let answers finish until ``stop_seconds``; a second
  signal, or QUIT, ends at once. The exit status is 0 each time.
"""

import os
import signal
import socket
import time

import pytest


def test_answers_come_from_all_workers_and_the_port_is_reported(serve):
    server = serve(workers=2)
    assert server.address[0] == "127.0.0.1"
    assert server.address[1] > 0
    assert len(server.workers()) == 2
    assert server.worker()[0] in server.workers()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_with_status_0(serve, number):
    assert serve().stop(number) == 0


def test_stopping_closes_the_listener_at_once_and_lets_a_stream_finish(serve, tools):
    server = serve()
    with server.stream("/ticks?50") as stream:
        server.send(signal.SIGTERM)
        tools.wait_until(lambda: refuses(server), "refused connections")
        assert "closed" not in server.notes_path.read_text()
        assert ends_whole(stream)
    assert server.process.wait(tools.patience) == 0


def test_stopping_cuts_a_stream_at_its_deadline_and_closes_its_iterator(serve, tools):
    server = serve(stop_seconds=1)
    with server.stream() as stream:
        began = time.monotonic()
        server.send(signal.SIGTERM)
        assert tools.ends(stream)
        assert server.process.wait(tools.patience) == 0
        assert time.monotonic() - began >= 1
    server.await_note("closed")


def test_a_second_signal_stops_at_once(serve, tools):
    server = serve(stop_seconds=600)
    with server.stream() as stream:
        server.send(signal.SIGTERM)
        server.await_log("stopping")
        assert server.stop(signal.SIGINT) == 0
        assert tools.ends(stream)
    server.await_note("closed")


def test_quit_stops_at_once(serve, tools):
    server = serve(stop_seconds=600)
    with server.stream() as stream:
        assert server.stop(signal.SIGQUIT) == 0
        assert tools.ends(stream)


def test_an_interrupt_of_the_whole_terminal_lets_a_stream_finish(serve):
    server = serve()
    with server.stream("/ticks?10") as stream:
        os.killpg(server.process.pid, signal.SIGINT)
        assert ends_whole(stream)
    assert server.process.wait() == 0


def test_reload_takes_new_settings_while_a_stream_goes_on(serve):
    server = serve()
    with server.stream("/ticks?20") as stream:
        old = set(server.workers())
        server.reload_done(greeting="new")
        server.await_greeting("new")
        assert old & set(server.workers())
        assert ends_whole(stream)


def test_old_workers_end_once_their_streams_have_ended(serve, tools):
    server = serve(workers=2)
    old = set(server.workers())
    server.reload_done()
    tools.wait_until(lambda: not old & set(server.workers()), "the old workers' end")
    assert len(server.workers()) == 2


def test_several_reloads_in_a_row_leave_the_last_configuration(serve, tools):
    server = serve(workers=2)
    with server.stream() as stream:
        for number in range(5):
            server.reload(greeting=f"number {number}")
        tools.wait_until(lambda: server.worker()[1] == "number 4", "the last configuration")
        stream.settimeout(tools.patience)
        assert stream.recv(100)
    tools.wait_until(lambda: len(server.workers()) == 2, "the end of the others")


def test_drain_seconds_bound_the_streams_of_an_old_configuration(serve, tools):
    server = serve(drain_seconds=1)
    with server.stream() as stream:
        server.reload_done()
        assert tools.ends(stream)
    server.await_note("closed")
    assert server.get("/pid")[0] == 200


def test_a_configuration_that_does_not_load_is_logged_and_changes_nothing(serve):
    server = serve()
    old = set(server.workers())
    server.reload(load="server.threads: not a number", greeting="new")
    server.await_log('the configuration is not changed" reason="server.threads: not a number')
    assert server.worker()[1] == "hello"
    assert set(server.workers()) == old


def test_options_that_gunicorn_refuses_change_nothing(serve):
    server = serve()
    old = set(server.workers())
    server.reload(options={"backlog": -5})
    server.await_log("the configuration is not changed")
    assert set(server.workers()) == old


def test_an_application_that_does_not_boot_changes_nothing(serve, tools):
    server = serve()
    old = set(server.workers())
    server.reload(boot="fail")
    server.await_log("the configuration is not changed")
    tools.wait_until(lambda: set(server.workers()) == old, "only the old workers")
    assert server.worker()[1] == "hello"
    server.reload_done(boot="ok", greeting="mended")
    server.await_greeting("mended")


def test_a_candidate_that_hangs_neither_serves_nor_disturbs_and_can_be_replaced(serve, tools):
    server = serve(workers=2)
    server.reload(boot="hang", greeting="stuck")
    tools.wait_until(lambda: len(server.workers()) == 4, "the candidates")
    assert server.worker()[1] == "hello"
    server.reload_done(boot="ok", greeting="mended")
    server.await_greeting("mended")
    tools.wait_until(lambda: len(server.workers()) == 2, "the end of the others")


def test_a_changed_address_is_logged_and_the_old_one_stays(serve):
    server = serve()
    server.reload_done(options={"port": 1}, greeting="new")
    server.await_log("server.host and server.port change only with a restart")
    server.await_greeting("new")


def test_threads_of_a_new_configuration_take_effect(serve, tools):
    server = serve(workers=1, threads=1)
    server.reload_done(options={"threads": 3})
    tools.wait_until(lambda: len(server.workers()) == 1, "the old worker's end")
    with server.stream(), server.stream():
        assert server.get("/pid")[0] == 200


def test_a_killed_worker_is_replaced_at_once(serve, tools):
    server = serve(workers=2)
    victim = server.workers()[0]
    began = time.monotonic()
    tools.kill(victim)
    tools.wait_until(lambda: len(set(server.workers()) - {victim}) == 2, "a new worker")
    assert time.monotonic() - began < 20


def test_a_replacement_that_cannot_boot_is_tried_again_while_the_others_serve(serve, tools):
    server = serve(workers=2)
    broken = server.plan_path.with_name("broken")
    broken.touch()
    tools.kill(server.workers()[0])
    server.await_log("the application does not start", times=2)
    assert server.get("/pid")[0] == 200
    broken.unlink()
    server.await_log("worker started", times=5)
    tools.wait_until(lambda: len(server.workers()) == 2, "the replacement")


def test_killed_workers_are_replaced_while_old_ones_drain(serve, tools):
    server = serve(workers=2)
    with server.stream() as stream:
        old = set(server.workers())
        server.reload_done(greeting="new")
        fresh = set(server.workers()) - old
        for pid in fresh:
            tools.kill(pid)
        tools.wait_until(lambda: len(set(server.workers()) - old - fresh) == 2, "new workers")
        server.await_greeting("new")
        assert stream.recv(100)


def test_a_worker_whose_main_loop_is_dead_is_killed_and_replaced(serve, tools):
    server = serve(workers=1, heartbeat_seconds=2)
    stuck = server.workers()[0]
    os.kill(stuck, signal.SIGSTOP)
    server.await_log("worker hangs")
    tools.wait_until(lambda: server.workers() not in ([], [stuck]), "a new worker")
    assert server.worker()[0] != stuck


def test_a_long_stream_does_not_look_like_a_dead_worker(serve, tools):
    server = serve(workers=1, heartbeat_seconds=4, threads=2)
    with server.stream("/ticks?50") as stream:
        assert ends_whole(stream)
    assert "hangs" not in server.logged()


def test_a_first_application_that_fails_ends_the_server_with_status_1(start, tools):
    server = start(plan={"boot": "fail"})
    assert server.process.wait(tools.patience) == 1
    assert "the test wants this application to fail" in server.logged()


def test_usr2_is_refused_and_more_or_fewer_workers_can_be_had(serve, tools):
    server = serve(workers=1)
    server.send(signal.SIGUSR2)
    server.await_log("USR2 refused")
    server.send(signal.SIGTTIN)
    tools.wait_until(lambda: len(server.workers()) == 2, "one worker more")
    server.send(signal.SIGTTOU)
    tools.wait_until(lambda: len(server.workers()) == 1, "one worker less")
    assert server.get("/pid")[0] == 200


def test_workers_of_a_killed_master_let_go_of_the_port_and_end(serve, tools):
    server = serve(workers=2, drain_seconds=6)
    workers = server.workers()
    with server.stream() as stream:
        server.process.kill()
        server.process.wait()
        tools.wait_until(lambda: refuses(server), "refused connections")
        assert "closed" not in server.notes_path.read_text()
        assert tools.ends(stream)
    tools.wait_until(lambda: not any(tools.kill(pid, 0) for pid in workers), "the workers' end")


def refuses(server):
    try:
        socket.create_connection(server.address, timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False


def ends_whole(stream):
    """Whether the stream ends as the application ends it, not by a cut."""
    stream.settimeout(40)
    seen = b""
    while not seen.endswith(b"0\r\n\r\n"):
        data = stream.recv(65536)
        if not data:
            return False
        seen += data
    return True
