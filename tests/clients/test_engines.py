"""Applications that are no package: the part of each that is one asks the relay in its place.

What ``airelays connect`` prints for them is joined to requests as their sources do it; a program
for each takes a turn with a function, streamed.
"""

import json
import re
from pathlib import Path

import pytest

from tests.clients.command_line import installed, node_modules_with, printed, program, run
from tests.clients.tried import TRIED, on_its_upstreams

PROGRAMS = Path(__file__).parent / "programs"
CALL = '[[reason I count.]] [[call multiply {"a": 6, "b": 7}]] [[then]] [[say All done.]]'

AI_SDK_FORMS = (
    ("chatbox", {}),
    ("jan", {}),
    ("cherry-studio", {}),
    ("cherry-studio", {"Provider Type": "OpenAI-Response"}),
)
"""Whose settings are filled in with the lines that are printed, and what of them otherwise."""
AI_SDK_TURNS = [
    pytest.param(
        slug, otherwise, upstream, id=" - ".join((slug, *otherwise.values(), upstream.name))
    )
    for slug, otherwise in AI_SDK_FORMS
    for upstream in TRIED[slug].upstreams
]
_FIELD = re.compile(r"^(.+?): +(.+)$", re.MULTILINE)


@pytest.fixture(scope="module")
def module_relay(start_relay):
    return start_relay(vendors=True)


@pytest.fixture
def run_program(tmp_path):
    """Return a function that runs one of the programs, which wants a package."""

    def run_program(name, package, *arguments):
        source = (PROGRAMS / name).read_text()
        file = program(tmp_path / name, source, node_modules_with(package))
        return run([installed("node"), file, *arguments], tmp_path, {})

    return run_program


@on_its_upstreams("librechat")
def test_librechat_s_engine_takes_a_turn_and_names_it(run_program, relay, tmp_path, upstream):
    (tmp_path / "work").mkdir()
    settings, secrets = printed("librechat", relay, upstream.model)
    (tmp_path / "work/librechat.yaml").write_text(settings)
    (tmp_path / "work/.env").write_text(secrets)

    done = run_program("librechat_turn.mjs", "@librechat/agents", upstream.model, CALL)

    assert done.stdout == "All done.\nSix times seven.\n", done
    first, second, title = upstream.among(relay.sandbox.requests)
    assert b"multiply" in first.body
    assert b"it is 42" in second.body
    assert b"Six times seven." in title.body


@pytest.mark.parametrize(("slug", "otherwise", "upstream"), AI_SDK_TURNS)
def test_the_library_of_an_application_takes_a_turn(run_program, relay, slug, otherwise, upstream):
    fields, model = printed(slug, relay, upstream.model)
    form = dict(_FIELD.findall(fields)) | otherwise

    done = run_program(
        "ai_sdk_apps_turn.mjs", "@cherrystudio/ai-core", slug, json.dumps(form), model.strip(), CALL
    )

    assert done.stdout == "All done.\n", done
    first, second = upstream.among(relay.sandbox.requests)
    assert b"multiply" in first.body
    assert b"it is 42" in second.body
