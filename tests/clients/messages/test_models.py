"""The anthropic SDK lists and retrieves the models of all providers, in its own form."""

from datetime import UTC, datetime

import anthropic
import pytest
from anthropic.types import ModelInfo

NATIVE = "anthropic/claude-opus-4-8"


def checked(model):
    """Return the model, which has all that the SDK declares and nothing of another type."""
    return ModelInfo.model_validate(model.model_dump(mode="json"))


def test_it_lists_the_models_of_all_providers(client):
    listed = {model.id: checked(model) for model in client.models.list()}

    assert {"gpt-5.5", "box/sandbox-small", NATIVE} <= listed.keys()
    assert {model.lifecycle for model in listed.values()} == {"active"}


def test_what_the_vendor_says_of_its_models_is_kept(client):
    model = checked(client.models.retrieve(NATIVE))

    assert model.id == NATIVE
    assert model.display_name == "Claude Opus 4.8"
    assert model.created_at == datetime(2026, 5, 28, tzinfo=UTC)
    assert model.max_tokens == 128_000


@pytest.mark.parametrize("limit", [1, 2, 1000])
def test_the_pager_sees_every_model_once(client, limit):
    ids = [model.id for model in client.models.list()]
    pages = list(client.models.list(limit=limit).iter_pages())

    assert len(ids) == len(set(ids)) > 4
    assert [model.id for page in pages for model in page.data] == ids
    assert all(len(page.data) <= limit for page in pages)
    assert pages[0].first_id == ids[0]


def test_the_pager_goes_backwards_too(client):
    ids = [model.id for model in client.models.list()]
    page = client.models.list(before_id=ids[3], limit=2)

    assert [model.id for model in page.data] == ids[1:3]
    assert page.has_more
    assert [model.id for model in page.get_next_page().data] == ids[:1]


@pytest.mark.parametrize("wrong", [{"after_id": "claude-0"}, {"extra_query": {"limit": "many"}}])
def test_a_page_that_there_is_not_is_refused(client, wrong):
    with pytest.raises(anthropic.BadRequestError, match=r"after_id|limit"):
        client.models.list(**wrong)


def test_an_unknown_one_is_a_not_found_error(client):
    with pytest.raises(anthropic.NotFoundError) as caught:
        client.models.retrieve("claude-opus-4-88")

    assert caught.value.body["error"]["type"] == "not_found_error"
    assert "claude-opus-4-8" in caught.value.message
    assert caught.value.request_id
