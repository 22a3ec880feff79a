"""Anthropic's API, with an API key."""

from airelays_app.providers.anthropic.provider import AnthropicProvider

__all__ = ["AnthropicProvider"]
