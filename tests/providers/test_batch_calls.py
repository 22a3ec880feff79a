"""What an upstream tells of its batches goes back into addresses: nothing in it alters them."""

import pytest

from airelays_app.errors import UpstreamError
from airelays_app.providers.base import SoughtBatch
from airelays_app.providers.batch_calls import safe_id
from airelays_app.providers.gemini.batches import GeminiBatches
from tests.providers.scripted_caller import Caller

SOUGHT = SoughtBatch("batch_1", 1, 0, frozenset())


@pytest.mark.parametrize("id_", [None, 5, "", "a/b", "a?b", "a\r\nb", "..", "\u00e9", "\u0661"])
def test_an_id_that_cannot_stand_in_a_path_is_refused(id_):
    with pytest.raises(UpstreamError, match="usable id"):
        safe_id(id_)


def test_of_gemini_the_next_page_is_asked_for_by_its_token():
    ours = {"name": "batches/b-1", "metadata": {"displayName": SOUGHT.id}}
    caller = Caller({"operations": [{}], "nextPageToken": "a+b/c="}, {"operations": [ours]})
    assert GeminiBatches().find(SOUGHT, caller) == "batches/b-1"
    assert caller.targets[1] == "/batches?pageSize=100&pageToken=a%2Bb%2Fc%3D"


@pytest.mark.parametrize("name", [None, "", "batches/", "batches/a/b", "operations/a"])
def test_of_gemini_a_batch_without_a_usable_name_is_refused(name):
    ours = {"name": name, "metadata": {"displayName": SOUGHT.id}}
    with pytest.raises(UpstreamError, match="usable id"):
        GeminiBatches().find(SOUGHT, Caller({"operations": [ours]}))
