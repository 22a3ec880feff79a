"""Libraries for programs."""

from airelays_app.cli.clients.row import Client, Step

SDKS = (
    Client(
        slug="openai-python",
        name="OpenAI SDK for Python",
        dialect="responses",
        steps=(
            Step(
                "Python",
                """\
from openai import OpenAI

client = OpenAI(base_url="%{base_url}", api_key="%{token}")
question = "What is the capital of Italy?"
response = client.responses.create(model="%{model}", input=question)
print(response.output_text)
""",
            ),
        ),
        notes=("OPENAI_BASE_URL and OPENAI_API_KEY in the environment do the same.",),
    ),
    Client(
        slug="openai-node",
        name="OpenAI SDK for Node",
        dialect="responses",
        steps=(
            Step(
                "JavaScript",
                """\
import OpenAI from "openai";

const client = new OpenAI({ baseURL: "%{base_url}", apiKey: "%{token}" });
const response = await client.responses.create({ model: "%{model}", input: "Say hello." });
console.log(response.output_text);
""",
            ),
        ),
        notes=("In a browser it also needs dangerouslyAllowBrowser: true.",),
    ),
    Client(
        slug="agents-sdk",
        name="OpenAI Agents SDK",
        dialect="responses",
        steps=(
            Step(
                "Python",
                """\
from agents import Agent, Runner, set_default_openai_client, set_tracing_disabled
from openai import AsyncOpenAI

set_default_openai_client(AsyncOpenAI(base_url="%{base_url}", api_key="%{token}"))
set_tracing_disabled(True)
agent = Agent(name="Helper", model="%{model}")
print(Runner.run_sync(agent, "Say hello.").final_output)
""",
            ),
        ),
        notes=("Without set_tracing_disabled(True) it sends traces to api.openai.com.",),
    ),
    Client(
        slug="langchain",
        name="LangChain",
        dialect="chat",
        steps=(
            Step(
                "Python, with langchain-openai",
                """\
from langchain_openai import ChatOpenAI

model = ChatOpenAI(model="%{model}", base_url="%{base_url}", api_key="%{token}")
print(model.invoke("Say hello.").content)
""",
            ),
        ),
        notes=("use_responses_api=True makes it speak Responses instead.",),
    ),
    Client(
        slug="vercel-ai-sdk",
        name="Vercel AI SDK",
        dialect="chat",
        steps=(
            Step(
                "JavaScript, with ai and @ai-sdk/openai-compatible",
                """\
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText } from "ai";

const airelays = createOpenAICompatible({
  name: "airelays",
  baseURL: "%{base_url}",
  apiKey: "%{token}",
  includeUsage: true,
  supportsStructuredOutputs: true,
});
const { text } = await generateText({ model: airelays("%{model}"), prompt: "Say hello." });
console.log(text);
""",
            ),
        ),
        notes=(
            "createOpenAI of @ai-sdk/openai speaks Responses, and refers to earlier items by id: "
            "the relay keeps them, unless store: false in providerOptions.openai says otherwise.",
        ),
    ),
    Client(
        slug="anthropic-sdk",
        name="Anthropic SDK for Python",
        dialect="messages",
        steps=(
            Step(
                "Python",
                """\
from anthropic import Anthropic

client = Anthropic(base_url="%{root_url}", auth_token="%{token}")
message = client.messages.create(
    model="%{model}", max_tokens=1024, messages=[{"role": "user", "content": "Say hello."}]
)
print(message.content[0].text)
""",
            ),
        ),
        notes=("The base URL has no /v1: the SDK adds it.",),
    ),
    Client(
        slug="google-genai",
        name="Google Gen AI SDK for Python",
        dialect="gemini",
        steps=(
            Step(
                "Python",
                """\
from google import genai
from google.genai.types import HttpOptions

options = HttpOptions(base_url="%{root_url}", api_version="v1beta")
client = genai.Client(api_key="%{token}", http_options=options)
print(client.models.generate_content(model="%{model}", contents="Say hello.").text)
""",
            ),
        ),
    ),
)
