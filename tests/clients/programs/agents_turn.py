"""OpenAI's Agents SDK answers a prompt with the help of a function: DIALECT MODEL PROMPT."""

import asyncio
import sys

from agents import (
    Agent,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from openai import AsyncOpenAI

MODELS = {"chat": OpenAIChatCompletionsModel, "responses": OpenAIResponsesModel}


@function_tool
def multiply(a: int, b: int) -> str:
    """Multiply two numbers."""
    return f"it is {a * b}"


async def main(dialect: str, model: str, prompt: str) -> None:
    """Print the final answer."""
    set_tracing_disabled(disabled=True)
    async with AsyncOpenAI() as client:
        agent = Agent(name="Helper", model=MODELS[dialect](model, client), tools=[multiply])
        run = Runner.run_streamed(agent, prompt)
        async for _ in run.stream_events():
            pass
        print(run.final_output)


asyncio.run(main(*sys.argv[1:]))
