"""A model that an upstream refuses and does not list is a 404 that names the nearest ones.

That holds for the first request of a worker too, when no catalogue has been fetched yet. What the
upstream says of a model that it does list is its own refusal.
"""

PATHS = {
    "/v1/responses": {"input": "Hi"},
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "Hi"}]},
    "/v1/completions": {"prompt": "Hi"},
}


def test_the_first_request_for_it_is_answered_so_and_all_others(start_relay):
    relay = start_relay(WORKERS="1")

    for path, said in PATHS.items():
        for stream in (False, True):
            error = relay.refusal(path, {"model": "gpt-5.55", "stream": stream, **said}, status=404)
            assert (error["code"], error["param"]) == ("model_not_found", "model")
            assert "gpt-5.5" in error["message"]


def test_a_refusal_that_speaks_of_something_else_is_passed_on(relay):
    relay.sandbox.script("status", status=400)

    error = relay.refusal("/v1/responses", {"model": "gpt-5.55", "input": "Hi"}, status=400)

    assert error["code"] != "model_not_found"


def test_without_a_catalogue_the_upstream_has_the_last_word(start_relay):
    relay = start_relay(WORKERS="1")
    relay.sandbox.script("status", path="/models", times=99, status=500)

    error = relay.refusal("/v1/responses", {"model": "gpt-5.55", "input": "Hi"}, status=400)

    assert "gpt-5.55" in error["message"]


def test_a_name_that_no_row_or_header_can_hold_is_refused(relay):
    for path, said in {**PATHS, "/v1/embeddings": {"input": "Hi"}}.items():
        error = relay.refusal(path, {"model": "box/a\ud800", **said})
        assert (error["message"], error["param"]) == ("model must be valid Unicode.", "model")
    assert not relay.sandbox.requests
