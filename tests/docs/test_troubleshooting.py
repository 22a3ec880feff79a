"""``docs/troubleshooting.rst`` speaks of what the relay really says: words, codes, causes."""

import ast
import re
from typing import get_args

import pytest
from docutils import nodes

from airelays_app.errors import LoginProblem
from airelays_app.providers.codex.provider import RULES
from tests.docs import http_api, pages

PAGE = "docs/troubleshooting.rst"
TREE, _ = pages.read(PAGE)
SENTENCES = " ".join(
    node.astext().replace("\n", " ")
    for kind in (nodes.term, nodes.paragraph)
    for node in TREE.findall(kind)
    if not isinstance(node.parent, nodes.system_message)
)
QUOTED = sorted(set(re.findall(r'"([^"]{4,})"', SENTENCES)))
STATUSES = sorted(
    (term.astext()[:3], literal.astext())
    for term in TREE.findall(nodes.term)
    if re.match(r"\d{3} ", term.astext()) and " with " not in term.astext()
    for literal in term.findall(nodes.literal)
)
MUST_BE_THERE = (
    *("401", "403", "404", "422", "429", "501", "502", "503", "504"),
    *("Exit status 75", "Exit status 78", "status=-9", "disk", "airelays doctor"),
)


def words_of_the_code():
    constants = (
        node.value
        for path in sorted((pages.ROOT / "airelays_app").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    return "\n".join(constants)


@pytest.mark.parametrize("symptom", MUST_BE_THERE)
def test_the_symptom_is_there(symptom):
    assert symptom in SENTENCES


def test_every_message_that_it_quotes_is_the_code_s():
    code = words_of_the_code()
    for quoted in QUOTED:
        for piece in filter(None, quoted.split("...")):
            assert piece.strip(" ():") in code, quoted


@pytest.mark.parametrize(("status", "code"), STATUSES)
def test_every_code_comes_with_its_status(status, code):
    known = {(str(number), name) for number, _, name in http_api.documented_errors()}
    assert (status, code) in known or (status == "429" and code in RULES.limit), (status, code)


@pytest.mark.parametrize("problem", get_args(LoginProblem))
def test_every_problem_of_a_login_has_an_entry(problem):
    assert problem in {term.astext() for term in TREE.findall(nodes.term)}
