"""Failed attempts: 401 eight times, then 429 for fifteen minutes, and whom that must not hurt.

* The eighth failure within 300 s starts the block; guesses in parallel or over two workers get
  no more tries; neither does a restart help.
* A credential that worked from the address in the last day passes the block; a right one never
  used from there waits.
* Preflights, unknown paths outside and public routes never count.
* A web page of another origin cannot lock the owner out.
* While the storage is down nobody guesses uncounted.
"""

import threading

import pytest

from airelays_app.web.limits import limiter_state, limiter_totals
from tests.web.admission_kit import TOKEN, HandClock, Relay, ask, bearer, error_code, listening

WRONG = "wrong-wrong-wrong-wrong"


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def relay(tmp_path, clock):
    relay = Relay(tmp_path, clock=clock, busy_seconds=0.2)
    yield relay
    relay.close()


def test_eight_failures_then_blocked_with_the_time_to_wait(relay, clock):
    for number in range(8):
        response = relay.get(token=WRONG if number % 2 else None)
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert response.headers["x-should-retry"] == "false"
        assert response.json["error"]["code"] == "invalid_api_key"
    blocked = relay.get(token=WRONG)
    assert blocked.status_code == 429
    assert blocked.headers["Retry-After"] == "900"
    assert blocked.json["error"]["type"] == "rate_limit_error"
    assert blocked.json["error"]["code"] == "ip_temporarily_blocked"
    clock.now += 600.5
    assert relay.get().headers["Retry-After"] == "300"
    clock.now += 300
    assert relay.statuses(9, token=WRONG) == [401] * 8 + [429]


def test_failures_spread_over_more_than_the_window_do_not_block(relay, clock):
    for _ in range(30):
        clock.now += 300 / 7
        assert relay.get(token=WRONG).status_code == 401


def test_other_addresses_are_not_blocked(relay):
    relay.statuses(9, token=WRONG)
    assert relay.get(token=WRONG, peer="192.168.1.9").status_code == 401


def test_an_ipv6_client_cannot_escape_within_its_network(relay):
    for number in range(8):
        relay.get(token=WRONG, peer=f"2001:db8::{number + 1}")
    assert relay.get(token=WRONG, peer="2001:db8::ffff").status_code == 429
    assert relay.get(token=WRONG, peer="2001:db8:0:1::1").status_code == 401


def test_a_token_known_from_the_address_passes_the_block_and_a_new_one_waits(relay):
    laptop = relay.tokens.add("laptop")
    assert relay.get(token=TOKEN).status_code == 200
    relay.statuses(9, token=WRONG)
    assert relay.get(token=TOKEN).status_code == 200
    assert relay.get(token=laptop).status_code == 429
    assert relay.get(token=laptop, peer="192.168.1.9").status_code == 200
    relay.lockouts.clear("127.0.0.1")
    assert relay.get(token=laptop).status_code == 200


def test_a_stale_token_in_a_retry_loop_leaves_the_working_client_alone(relay):
    stale = relay.tokens.add("agent")
    assert relay.get(token=TOKEN).status_code == 200
    assert relay.get(token=stale).status_code == 200
    relay.tokens.revoke("agent")
    for _ in range(20):
        assert relay.get(token=stale).status_code in (401, 429)
        assert relay.get(token=TOKEN).status_code == 200


def test_a_known_token_that_is_rotated_ends_at_once(relay):
    assert relay.get(token=TOKEN).status_code == 200
    new = relay.tokens.rotate()
    assert relay.get(token=TOKEN).status_code == 401
    assert relay.get(token=new).status_code == 200


def test_the_block_and_the_known_tokens_survive_a_restart(tmp_path, clock):
    before = Relay(tmp_path, clock=clock)
    laptop = before.tokens.add("laptop")
    assert before.get(token=TOKEN).status_code == 200
    before.statuses(8, token=WRONG)
    before.close()
    after = Relay(tmp_path, clock=clock)
    assert after.get(token=WRONG).status_code == 429
    assert after.get(token=laptop).status_code == 429
    assert after.get(token=TOKEN).status_code == 200
    after.close()


def test_preflights_unknown_paths_and_public_routes_never_count(relay):
    for _ in range(20):
        preflight = relay.get(
            method="OPTIONS",
            Origin="https://chat.example",
            Access_Control_Request_Method="POST",
        )
        assert preflight.status_code == 204
        assert relay.get("/nothing", token=WRONG).status_code == 404
        assert relay.get("/api/hello", method="HEAD").status_code == 404
        assert relay.get("/healthz", token=WRONG).status_code == 200
    assert relay.get().status_code == 401


def test_health_and_home_stay_reachable_while_blocked(relay):
    relay.statuses(9, token=WRONG)
    assert [relay.get(path).status_code for path in ("/", "/healthz")] == [200, 200]


def test_unknown_paths_inside_the_protected_prefixes_count(relay):
    assert relay.statuses(9, path="/v1/nothing") == [401] * 8 + [429]
    assert relay.get("/v1/nothing", token=TOKEN, peer="10.0.0.2").status_code == 404


@pytest.mark.parametrize(
    "marks",
    [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"}],
)
def test_a_web_page_cannot_lock_the_owner_out(relay, marks):
    statuses = relay.statuses(20, path="/v1/models?key=guess", **marks)
    assert statuses == [401] * 8 + [429] * 12
    assert relay.get(token=TOKEN).status_code == 200
    assert relay.get(token=TOKEN, **marks).status_code == 200


def test_a_page_gets_nothing_from_an_address_that_is_blocked(relay):
    relay.statuses(8, token=WRONG)
    assert relay.get(token=WRONG, Origin="https://evil.example").status_code == 429


def test_two_known_credentials_of_different_owners_are_refused_and_not_counted(relay):
    laptop = relay.tokens.add("laptop")
    for _ in range(10):
        assert relay.get(token=TOKEN, x_api_key=laptop).status_code == 401
    assert relay.get(token=TOKEN, x_api_key=TOKEN).status_code == 200
    assert relay.get(token=TOKEN, x_api_key="sk-something-else").status_code == 200
    assert relay.get(token="dummy", x_goog_api_key=laptop).json["name"] == "laptop"


def test_a_non_ascii_token_is_a_wrong_token_and_leaks_no_place(relay):
    with listening(relay.app) as port:
        assert ask(port, headers=[bearer(TOKEN)])[0] == 200
        for raw in (b"\xff\xfe\xfd", "ü\u2028".encode()) * 50:
            status, _, body = ask(port, headers=[bearer(raw)])
            assert status in (401, 429)
            assert error_code(body) in ("invalid_api_key", "ip_temporarily_blocked")
        assert ask(port, headers=[bearer(TOKEN)])[0] == 200
    assert relay.slots.count("127.0.0.1") == 0


def test_parallel_guesses_over_two_workers_get_eight_tries(tmp_path):
    workers = [Relay(tmp_path) for _ in range(2)]
    together, statuses = threading.Barrier(32), []

    def guess(port):
        together.wait(60)
        statuses.append(ask(port, headers=[bearer(WRONG)])[0])

    with listening(workers[0].app) as first, listening(workers[1].app) as second:
        threads = [
            threading.Thread(target=guess, args=((first, second)[number % 2],))
            for number in range(32)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sorted(statuses) == [401] * 8 + [429] * 24
        assert ask(first, headers=[bearer(TOKEN)])[0] == 429
        assert ask(second, source="127.0.0.2", headers=[bearer(TOKEN)])[0] == 200
    for worker in workers:
        worker.close()


def break_storage(relay):
    relay.database.close()
    path = relay.directory / "state.sqlite3"
    path.unlink()
    path.mkdir()


def test_while_the_storage_is_down_known_tokens_pass_and_others_wait(relay, clock):
    assert relay.get(token=TOKEN).status_code == 200
    laptop = relay.tokens.add("laptop")
    break_storage(relay)
    assert relay.get(token=TOKEN).status_code == 200
    clock.now += 3600
    assert relay.get(token=TOKEN).status_code == 200
    for offered in (laptop, WRONG, None):
        refused = relay.get(token=offered)
        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) >= 1
    assert relay.get("/healthz").status_code == 200
    state = limiter_state(relay.limits, relay.lockouts, "127.0.0.1")
    assert state["failed_auth_attempts"] is None
    assert limiter_totals(relay.limits, relay.lockouts)["tracked_clients"] is None


def test_the_state_of_an_address_is_told(relay):
    relay.get(token=TOKEN)
    relay.statuses(3, token=WRONG)
    assert limiter_state(relay.limits, relay.lockouts, "127.0.0.1") == {
        "allowance_remaining": 39,
        "active_requests": 0,
        "failed_auth_attempts": 3,
        "blocked_for_seconds": 0,
    }
    relay.statuses(5, token=WRONG)
    assert limiter_state(relay.limits, relay.lockouts, "127.0.0.1")["blocked_for_seconds"] == 900
    assert limiter_totals(relay.limits, relay.lockouts) == {
        "tracked_clients": 1,
        "blocked_clients": 1,
        "active_clients": 0,
    }
