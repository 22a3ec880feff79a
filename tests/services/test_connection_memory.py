"""A connection remembers its latest response and nothing else, and not without bound."""

import tracemalloc

from airelays_app.services.connection_memory import ConnectionMemory

ITEM = {"type": "message", "role": "user", "content": "x"}


def test_the_latest_response_is_remembered_with_where_it_began():
    memory = ConnectionMemory()
    memory.remember("resp_1", [ITEM])
    memory.remember("resp_2", [ITEM, ITEM], first_id="resp_1")

    assert memory.recall("resp_1") is None
    history = memory.recall("resp_2")
    assert (history.items, history.first_id) == ((ITEM, ITEM), "resp_1")


def test_what_has_failed_is_forgotten():
    memory = ConnectionMemory()
    memory.remember("resp_1", [ITEM])
    memory.forget()

    assert memory.recall("resp_1") is None


def test_too_much_is_forgotten_with_what_was_before_it():
    memory = ConnectionMemory(max_bytes=100)
    memory.remember("resp_1", [ITEM])
    memory.remember("resp_2", [ITEM] * 10)

    assert memory.recall("resp_1") is None
    assert memory.recall("resp_2") is None


def test_many_small_items_take_little_more_than_their_text():
    memory = ConnectionMemory()
    tracemalloc.start()
    memory.remember("resp_1", [dict(ITEM) for _ in range(20_000)])
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert held < 2 * 20_000 * len(str(ITEM))
