"""The openai SDK's async client, several calls at once."""

import asyncio

from openai import AsyncOpenAI


def run(relay, work):
    async def main():
        async with AsyncOpenAI(base_url=relay.base_url, api_key=relay.token) as client:
            return await work(client)

    return asyncio.run(main())


def test_responses_at_once(relay, model):
    async def work(client):
        calls = (
            client.responses.create(model=model, input=f"[[say number {n}]]") for n in range(8)
        )
        return await asyncio.gather(*calls)

    answers = run(relay, work)

    assert [answer.output_text for answer in answers] == [f"number {n}" for n in range(8)]


def test_streams_at_once(relay, model):
    async def read(client, number):
        messages = [{"role": "user", "content": f"[[say stream {number} is here]]"}]
        async with client.chat.completions.stream(model=model, messages=messages) as stream:
            return (await stream.get_final_completion()).choices[0].message.content

    async def work(client):
        return await asyncio.gather(*(read(client, number) for number in range(6)))

    assert run(relay, work) == [f"stream {number} is here" for number in range(6)]


def test_pages_and_models(relay):
    async def work(client):
        for number in range(3):
            await client.files.create(file=(f"{number}.txt", b"x"), purpose="user_data")
        names = [file.filename async for file in client.files.list(limit=2)]
        return names, [model.id async for model in client.models.list()]

    names, models = run(relay, work)

    assert names == ["2.txt", "1.txt", "0.txt"]
    assert "gpt-5.5" in models
