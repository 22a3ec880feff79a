"""Directives are read wherever they stand in a prompt, arguments with brackets included, and what
is no directive is left alone.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airelays_app.sandbox.directives import Directive, directives_in
from airelays_app.sandbox.replies import words


@pytest.mark.parametrize(
    ("prompt", "stages"),
    [
        ("nothing here", []),
        ("[[ no ]] [[nosuch x]] [x]", []),
        ("please [[say hello there]] now", [[Directive("say", "hello there")]]),
        ('[[call f {"a":[["]]"]]}]]', [[Directive("call", '{"a":[["]]"]]}', "f")]]),
        ("[[call f]]", [[Directive("call", "", "f")]]),
        ("[[call f {broken]]", [[Directive("call", "", "f")]]),
        ("[[call f [1]]]", [[Directive("call", "", "f")]]),
        ("[[custom sh ls | wc]]", [[Directive("custom", "ls | wc", "sh")]]),
        ("[[behave cut after=2]]", [[Directive("behave", "after=2", "cut")]]),
        ("[[say a]][[then]][[say b]]", [[Directive("say", "a")], [Directive("say", "b")]]),
        ("[[say unclosed", [[Directive("say", "unclosed")]]),
        ("[[say two\nlines]]", [[Directive("say", "two\nlines")]]),
    ],
)
def test_what_is_read(prompt, stages):
    assert directives_in(prompt) == stages


@given(st.text())
def test_any_prompt_can_be_read(prompt):
    directives_in(f"[[call {prompt}")
    directives_in(f"[[{prompt}]]")


@given(st.text())
def test_words_join_to_the_text(text):
    assert "".join(words(text)) == text
