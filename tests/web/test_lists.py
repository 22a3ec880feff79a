"""Every list says what the SDKs' pagers go by: its data, its ends, and whether there is more."""

import pytest

from tests.seeds.asking import RESPONSES, question

KEYS = {"object", "data", "first_id", "last_id", "has_more"}


@pytest.fixture(scope="module")
def filled(module_relay):
    """Return each list's path and the beginning of its query; there are three things in each.

    Batches leave files of results behind when they end, so only our own files are listed.
    """
    items = [{"role": "user", "content": str(number)} for number in range(3)]
    conversation = module_relay.ok("/v1/conversations", {"items": items})["id"]
    given = {**question(RESPONSES), "input": items}
    response = module_relay.ok(RESPONSES, given)["id"]
    batch = {"endpoint": RESPONSES, "requests": [{"body": question(RESPONSES)}]}
    for name in ("a.txt", "b.txt", "c.txt"):
        form = {"purpose": "user_data"}
        module_relay.post("/v1/files", files={"file": (name, b"said")}, data=form)
        module_relay.ok("/v1/batches", batch)
    return {
        "files": "/v1/files?purpose=user_data&",
        "batches": "/v1/batches?",
        "a conversation's items": f"/v1/conversations/{conversation}/items?",
        "a response's input items": f"{RESPONSES}/{response}/input_items?",
    }


ENDLESS = pytest.param("limit=" + "9" * 5000, id="limit=endless")
LISTS = ["files", "batches", "a conversation's items", "a response's input items"]


@pytest.mark.parametrize("name", LISTS)
def test_pages_say_where_they_end_and_whether_more_follows(relay, filled, name):
    path, seen = filled[name], []
    whole = relay.get(path).json()
    assert whole.keys() == KEYS
    assert (whole["object"], whole["has_more"]) == ("list", False)

    after = ""
    for left in (2, 1, 0):
        page = relay.get(f"{path}limit=1{after}").json()
        assert (len(page["data"]), page["has_more"]) == (1, left > 0)
        assert page["first_id"] == page["last_id"] == page["data"][0]["id"]
        seen += page["data"]
        after = f"&after={page['last_id']}"

    assert [each["id"] for each in seen] == [each["id"] for each in whole["data"]]
    beyond = relay.get(f"{path}limit=1{after}").json()
    assert beyond.keys() == KEYS
    assert (beyond["data"], beyond["has_more"]) == ([], False)


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("query", ["limit=x", "limit=-1", ENDLESS, "order=up"])
def test_a_bad_page_is_refused_by_its_name(relay, filled, name, query):
    answer = relay.get(f"{filled[name]}{query}")

    assert answer.status_code in (400, 422), answer.text
    assert answer.json()["error"]["param"] == query.partition("=")[0]
