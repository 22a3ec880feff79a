"""Applications with a window, and those that run on a server for several people at home.

Their menus are described as their own documentation had them on 2026-11-22, what they make of the
settings as their sources did on 2026-11-26.
"""

from airelays_app.cli.clients.row import Client, Step

_FIELDS = "Base URL: %{base_url}\nAPI key:  %{token}\n"
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
            Step("Admin Panel > Settings > Connections > OpenAI API > +", _FIELDS),
            Step(
                "Or in the environment of its first start",
                'OPENAI_API_BASE_URL="%{base_url}"\nOPENAI_API_KEY="%{token}"\n',
            ),
        ),
        notes=(
            _FROM_A_CONTAINER,
            "It asks for a title, tags and follow-up questions after each answer; give it a small "
            "model of another provider for those under Settings > Interface to save quota. With a "
            "title it sets a limit of tokens, which the subscription refuses unless "
            'compat.token_limits = "ignore" is in the settings of AIRelays.',
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
                f"Provider name: AIRelays\n{_FIELDS}",
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
                "Settings > Model Provider > Add, provider type OpenAI",
                "API Host: %{root_url}\nAPI Key:  %{token}\n",
            ),
            Step("Then Manage > + beside the model, and the switch at the top", "%{model}\n"),
        ),
        notes=("It adds /v1 to the host by itself, unless it is there.",),
    ),
)
