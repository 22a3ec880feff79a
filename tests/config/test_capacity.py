"""What is set is taken; what is 0 is computed so that all streams find a thread."""

from airelays_app.config import Server
from airelays_app.config.capacity import thread_count, worker_count


def test_set_numbers_are_taken():
    server = Server(workers=3, threads=5)
    assert (worker_count(server), thread_count(server)) == (3, 5)


def test_computed_threads_hold_all_streams_and_more():
    server = Server(workers=2, streams=1000)
    assert worker_count(server) * thread_count(server) > 1000
    assert thread_count(server) == 608


def test_computed_workers_are_one_to_four():
    assert 1 <= worker_count(Server()) <= 4
