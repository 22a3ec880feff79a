"""The providers of the gateway's relay, and short ways to ask the routes of every dialect."""

from typing import Any

from tests.seeds.asking import user

MODELS = {
    "codex": "gpt-5.5",
    "openai": "gpt-4.1",
    "anthropic": "claude-sonnet-4-5",
    "gemini": "gemini-2.5-flash",
    "box": "sandbox-small",
}
"""A model of each provider, by the provider's name."""

PREFIXED = [f"{provider}/{model}" for provider, model in MODELS.items()]
"""The same models as clients of the unscoped routes name them."""

GENERATE, STREAM = "generateContent", "streamGenerateContent"


def chat(model: str, text: str = "[[say Hi]]", **more: Any) -> dict[str, Any]:
    """Return a body for Chat Completions."""
    return {"model": model, "messages": user(text), **more}


def messages(model: str, text: str = "[[say Hi]]", **more: Any) -> dict[str, Any]:
    """Return a body for Messages."""
    return {"model": model, "max_tokens": 100, "messages": user(text), **more}


def contents(text: str = "[[say Hi]]") -> dict[str, Any]:
    """Return a body for the Gemini verbs, whose model stands in the path."""
    return {"contents": [{"role": "user", "parts": [{"text": text}]}]}


def said(answer: dict[str, Any]) -> str:
    """Return the visible text of a whole answer in any dialect."""
    if "choices" in answer:
        return str(answer["choices"][0]["message"]["content"])
    if "candidates" in answer:
        return _joined(answer["candidates"][0]["content"]["parts"])
    if "output" in answer:
        return "".join(_joined(item.get("content") or ()) for item in answer["output"])
    return _joined(answer["content"])


def _joined(parts: Any) -> str:
    return "".join(part.get("text", "") for part in parts)
