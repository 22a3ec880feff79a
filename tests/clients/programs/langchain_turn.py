"""LangChain answers a prompt with the help of a function: DIALECT MODEL PROMPT."""

import functools
import operator
import sys

from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI


@tool
def multiply(a: int, b: int) -> str:
    """Multiply two numbers."""
    return f"it is {a * b}"


def main(dialect: str, model: str, prompt: str) -> None:
    """Print the final answer."""
    chat = ChatOpenAI(model=model, use_responses_api=dialect == "responses")
    asked = chat.bind_tools([multiply])
    said = [HumanMessage(prompt)]
    while (answer := functools.reduce(operator.add, asked.stream(said))).tool_calls:
        said += [answer, *(multiply.invoke(call) for call in answer.tool_calls)]
    print(answer.text)


main(*sys.argv[1:])
