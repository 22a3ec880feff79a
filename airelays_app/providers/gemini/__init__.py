"""Google's Gemini API, with an API key."""

from airelays_app.providers.gemini.provider import GeminiProvider

__all__ = ["GeminiProvider"]
