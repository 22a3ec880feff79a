"""Applications with a window, and those that run on a server for several people at home.

Open WebUI's menus are those of its release 0.12.4. The others' are described as their own
documentation had them on 2026-11-22, what they make of the settings as their sources did on
2026-11-26.
"""

from airelays_app.cli.clients.row import Client, Step

_FROM_A_CONTAINER = (
    "From inside a container 127.0.0.1 is the container itself: let AIRelays listen on the LAN "
    "address of this machine and use that."
)

APPS = (
    Client(
        slug="open-webui",
        name="Open WebUI",
        dialect="chat",
        steps=(
            Step(
                "Settings > Admin > Connections > Manage OpenAI API Connections > +",
                "URL:     %{base_url}\nAPI Key: %{token}\n",
            ),
            Step(
                "Settings > Admin > Interface > Task Model Parameters",
                "Stream Chat Response: Off\n",
            ),
            Step(
                "Or both in the environment of its first start",
                """\
OPENAI_API_BASE_URL="%{base_url}"
OPENAI_API_KEY="%{token}"
TASK_MODEL_PARAMS='{"stream_response": false}'
""",
            ),
            Step(
                "And there, for documents, a model with embeddings of a provider that has one",
                """\
RAG_EMBEDDING_ENGINE="openai"
RAG_EMBEDDING_MODEL="gemini/gemini-embedding-001"
RAG_OPENAI_API_BASE_URL="%{base_url}"
RAG_OPENAI_API_KEY="%{token}"
""",
            ),
        ),
        notes=(
            _FROM_A_CONTAINER,
            "After each answer it asks for follow-up questions, and once in a chat for a title and "
            "tags; to save quota, choose a small model of another provider for them, as External "
            "Task Model under Settings > Admin > Interface. As long as there is no task model "
            "parameter, a title has a limit of tokens, which the subscription refuses; the "
            "parameter above changes nothing else.",
            "With each question it sends some thirty tools of its own, 20 kB, except for a model "
            "without Builtin Tools (Settings > Admin > Models).",
            "What the model thinks is shown, on the subscription only with a Reasoning Effort.",
            "Leave the API type of the connection at Chat Completions. With Responses the model "
            "does not get back what it thought before it called a tool, and the Reasoning Effort "
            "is sent in a field of Chat Completions, which the subscription refuses.",
        ),
    ),
    Client(
        slug="librechat",
        name="LibreChat",
        dialect="chat",
        steps=(
            Step(
                "librechat.yaml",
                """\
version: 1.3.17
endpoints:
  custom:
    - name: "AIRelays"
      baseURL: "%{base_url}"
      apiKey: "${RELAY_TOKEN}"
      models:
        default: ["%{model}"]
        fetch: true
      titleConvo: true
      titleModel: "current_model"
""",
            ),
            Step(".env in the same folder", "RELAY_TOKEN=%{token}\n"),
        ),
        notes=(
            _FROM_A_CONTAINER,
            "The user that it always names, and the sampling parameters that are set in its panel, "
            "are left out towards the subscription and listed in x-airelays-ignored-parameters; "
            "dropParams is not needed.",
            "Max Output Tokens of its panel is refused by the subscription unless "
            'compat.token_limits = "ignore" is in the settings of AIRelays.',
        ),
    ),
    Client(
        slug="chatbox",
        name="Chatbox",
        dialect="chat",
        steps=(
            Step(
                "Settings > Model Provider > Add, API mode OpenAI API Compatible",
                "API Host: %{base_url}\nAPI Path: /chat/completions\nAPI Key:  %{token}\n",
            ),
            Step("Then Fetch > + beside the model, or New with its name", "%{model}\n"),
        ),
        notes=(
            "It asks for the list of models below the API Host, so /v1 belongs there.",
            "Its web and Android versions call from a web page: leave security.cors_origins at "
            "its default, or add their origin. Browsers let its web version, a page on https, "
            "call only https or the machine itself.",
        ),
    ),
    Client(
        slug="jan",
        name="Jan",
        dialect="chat",
        steps=(
            Step(
                "Settings > Model Providers > Add Provider, API format OpenAI-compatible",
                "Provider name: AIRelays\nBase URL: %{base_url}\nAPI key:  %{token}\n",
            ),
            Step("It lists the models itself; one that is missing: Models > +", "%{model}\n"),
        ),
        notes=(
            "It offers its tools to a model only if Tools is on for it: the pencil beside the "
            "model > Capabilities.",
            "Samplers that an upstream does not know (top_k, min_p, repeat_penalty) are left out "
            "and listed in x-airelays-ignored-parameters.",
            "It names its window as the origin of its requests. A relay without token answers it "
            "only if security.cors_origins holds tauri://localhost (on Windows "
            "http://tauri.localhost).",
        ),
    ),
    Client(
        slug="cherry-studio",
        name="Cherry Studio",
        dialect="chat",
        steps=(
            Step(
                "Settings > Model Provider > Add",
                "Provider Type: OpenAI\nAPI Host: %{root_url}\nAPI Key:  %{token}\n",
            ),
            Step("Then Manage > + beside the model, and the switch at the top", "%{model}\n"),
        ),
        notes=(
            "It adds /v1 to the host by itself, unless it is there.",
            "With OpenAI-Response for the type it speaks OpenAI Responses instead.",
        ),
    ),
)
