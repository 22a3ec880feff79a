"""The openai SDK lists and retrieves models: every provider's, ids with slashes and colons too."""

import openai
import pytest
from openai.types import Model


def test_it_lists_the_models_of_all_providers(client, strictly):
    listed = {model.id: model for model in client.models.list()}

    assert "gpt-5.5" in listed
    assert "box/sandbox-small" in listed
    assert "plain/sandbox/reasoner:7b" in listed
    for model in listed.values():
        strictly.read(Model, model.to_json())


@pytest.mark.parametrize("name", ["gpt-5.5", "box/sandbox/reasoner:7b"])
def test_it_retrieves_one(client, strictly, name):
    answer = client.models.with_raw_response.retrieve(name)

    assert strictly.read(Model, answer.text).id == name
    assert answer.parse().id == name


def test_an_unknown_one_is_a_not_found_error(client):
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve("gpt-5.55")

    assert caught.value.code == "model_not_found"
    assert caught.value.param == "model"
    assert "gpt-5.5" in caught.value.message
    assert caught.value.request_id
