"""``docs/faq.rst`` answers what owners of the earlier relay asked, and what a home owner asks."""

import pytest

from tests.docs import pages

PAGE = "docs/faq.rst"
QUESTIONS = {
    "Do I need an OpenAI API key?": ["airelays login", "Providers"],
    "Will what an earlier AIRelay left behind still work?": [
        "~/.config/airelay/config.toml",
        "~/.airelay",
        "AIRelay Auth",
    ],
    "Is this from OpenAI?": ["independent"],
    "What do I enter where my client asks for an API key?": [
        "airelays init",
        "airelays token show",
        "airelays token rotate",
    ],
    "Can commands print JSON?": ["init", "status", "logout", "token show", "token rotate"],
    "Why did my client get 401, and then 429?": ["airelays unblock"],
    "Is the token the same thing as the ChatGPT login?": ["No."],
    "Where are uploaded files?": ["uploads/", "state.sqlite3", "32 MiB", "256 MiB"],
    "Can I do without a token?": [
        "airelays init --no-auth",
        "airelays serve --no-auth",
        "AIRELAYS_REQUIRE_BEARER_AUTH=false",
    ],
    "May other people use it?": ["one person"],
    "Are Anthropic and Gemini supported?": ["Both"],
    "Why are some parameters left out?": ["x-airelays-ignored-parameters"],
    "Why is a token limit answered with 422?": [
        "max_output_tokens",
        "max_completion_tokens",
        "max_tokens",
    ],
    "How do I send a file?": ["file_url", "data:", "filename", "file_id"],
}
"""Each question that the earlier relay's owners asked, with what its answer must name."""


def answers():
    """Return the text of each section by its heading."""
    document, _ = pages.read(PAGE)
    sections = {}
    for section in document.findall(lambda node: node.tagname == "section"):
        sections[section[0].astext()] = " ".join(section.rawsource or section.astext().split())
    return sections


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_question_is_answered(question):
    answer = answers()[question]
    for named in QUESTIONS[question]:
        assert named.removesuffix(".rst").lower() in answer.lower(), named
