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
_LIMIT = (
    "A limit of tokens that is set in it is refused by the subscription, unless "
    'compat.token_limits = "ignore" is in the settings of AIRelays.'
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
            _LIMIT,
        ),
    ),
    Client(
        slug="chatbox",
        name="Chatbox",
        dialect="chat",
        steps=(
            Step(
                "Settings > Model Provider > Add, API mode OpenAI API Compatible",
                "API Host: %{root_url}\nAPI Path: /v1/chat/completions\nAPI Key:  %{token}\n"
                "Model:    %{model}\n",
            ),
        ),
        notes=(
            "Its web and Android versions call from a web page: leave security.cors_origins at "
            "its default, or add their origin.",
        ),
    ),
    Client(
        slug="jan",
        name="Jan",
        dialect="chat",
        steps=(
            Step("Settings > Model Providers > Add Provider", _FIELDS),
            Step("Then add the model", "%{model}\n"),
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
            Step("Then Manage > add the model", "%{model}\n"),
        ),
        notes=("It adds /v1 to the host by itself.",),
    ),
)
