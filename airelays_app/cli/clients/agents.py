"""Command line agents and tools."""

from airelays_app.cli.clients.row import Client, Step

_SHELL = "In the shell, or in its start-up file"
_ONCE = "One question from the shell, for example"

AGENTS = (
    Client(
        slug="codex",
        name="Codex CLI",
        dialect="responses",
        steps=(
            Step(
                "~/.codex/config.toml",
                """\
model = "%{model}"
model_provider = "airelays"

[model_providers.airelays]
name = "AIRelays"
base_url = "%{base_url}"
env_key = "RELAY_TOKEN"
wire_api = "responses"
""",
            ),
            Step(_SHELL, 'export RELAY_TOKEN="%{token}"\ncodex\n'),
            Step(_ONCE, 'codex exec "What does this project do?"\n'),
        ),
        notes=(
            'Codex speaks the Responses dialect only; wire_api = "chat" is refused by it.',
            "Of a model that it does not know it says that metadata was not found, and then works "
            "with it. Which tools it offers depends on the model's name.",
            "With supports_websockets = true below base_url it keeps one connection for a session "
            "and sends only what is new in each turn.",
        ),
    ),
    Client(
        slug="claude-code",
        name="Claude Code",
        dialect="messages",
        steps=(
            Step(
                _SHELL,
                """\
export ANTHROPIC_BASE_URL="%{root_url}"
export ANTHROPIC_AUTH_TOKEN="%{token}"
export ANTHROPIC_MODEL="%{model}"
export ANTHROPIC_DEFAULT_OPUS_MODEL="%{model}"
export ANTHROPIC_DEFAULT_SONNET_MODEL="%{model}"
export ANTHROPIC_DEFAULT_HAIKU_MODEL="%{model}"
export CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1
claude
""",
            ),
            Step(_ONCE, 'claude -p "What does this project do?"\n'),
        ),
        notes=(
            "The base URL has no /v1: the client adds it.",
            "Any model will do. Of one that is not Anthropic's it says that it does not recognise "
            "it, and then works with it. On the subscription, and on other upstreams that are not "
            "Anthropic's, the relay leaves out what only Anthropic knows (context management, "
            "cache marks, its accounting) and lists that in x-airelays-ignored-parameters.",
            "Where a server of your own speaks Messages itself, set "
            "CLAUDE_CODE_ATTRIBUTION_HEADER=0: otherwise every conversation begins differently, "
            "and the server reads the long system prompt anew each time.",
        ),
    ),
    Client(
        slug="gemini-cli",
        name="Gemini CLI",
        dialect="gemini",
        steps=(
            Step(
                "~/.gemini/settings.json",
                '{ "security": { "auth": { "selectedType": "gemini-api-key" } } }\n',
            ),
            Step(
                _SHELL,
                """\
export GOOGLE_GEMINI_BASE_URL="%{root_url}"
export GEMINI_API_KEY="%{token}"
gemini -m %{model}
""",
            ),
            Step(_ONCE, 'gemini -m %{model} -p "What does this project do?"\n'),
        ),
        notes=("The base URL has no /v1beta: the client adds it.",),
    ),
    Client(
        slug="opencode",
        name="opencode",
        dialect="chat",
        steps=(
            Step(
                "opencode.json in the project, or ~/.config/opencode/opencode.json",
                """\
{
  "$schema": "https://opencode.ai/config.json",
  "provider": {
    "airelays": {
      "npm": "@ai-sdk/openai-compatible",
      "name": "AIRelays",
      "options": { "baseURL": "%{base_url}", "apiKey": "{env:RELAY_TOKEN}" },
      "models": { "%{model}": {} }
    }
  }
}
""",
            ),
            Step(_SHELL, 'export RELAY_TOKEN="%{token}"\nopencode -m airelays/%{model}\n'),
            Step(_ONCE, 'opencode run -m airelays/%{model} "What does this project do?"\n'),
        ),
        notes=(
            "Beside the first question of a session it asks for a title, without tools.",
            'With "npm": "@ai-sdk/openai" it speaks Responses instead, with "@ai-sdk/anthropic" '
            'Messages, with "@ai-sdk/google" and /v1beta in the address Gemini. In Responses and '
            "Gemini it always sends a limit of tokens, which the subscription refuses unless "
            'compat.token_limits = "ignore" is in the settings of AIRelays.',
        ),
    ),
    Client(
        slug="aider",
        name="aider",
        dialect="chat",
        steps=(
            Step(
                _SHELL,
                """\
export OPENAI_API_BASE="%{base_url}"
export OPENAI_API_KEY="%{token}"
aider --model openai/%{model}
""",
            ),
            Step(
                "One change from the shell, for example",
                'aider --model openai/%{model} --message "Say hello." hello.py\n',
            ),
        ),
        notes=(
            "It warns of a model that it does not know, and takes whole files from it; "
            "--no-show-model-warnings leaves the warning out.",
            "After an edit it asks for a commit message: a second request for each change.",
        ),
    ),
    Client(
        slug="llm",
        name="llm",
        dialect="chat",
        steps=(
            Step(
                'extra-openai-models.yaml in the folder that dirname "$(llm logs path)" prints',
                """\
- model_id: airelays
  model_name: %{model}
  api_base: "%{base_url}"
  api_key_name: airelays
  supports_tools: true
  supports_schema: true
""",
            ),
            Step(
                _SHELL,
                'llm keys set airelays --value "%{token}"\nllm -m airelays "Say hello"\n',
            ),
        ),
    ),
    Client(
        slug="curl",
        name="curl",
        dialect="responses",
        steps=(
            Step(
                "In the shell",
                """\
curl %{base_url}/responses \\
  -H "Authorization: Bearer %{token}" \\
  -H "Content-Type: application/json" \\
  -d '{"model": "%{model}", "input": "What is the capital of Italy?"}'
""",
            ),
            Step(
                "The same as a stream, in the Chat Completions dialect",
                """\
curl -N %{base_url}/chat/completions \\
  -H "Authorization: Bearer %{token}" \\
  -H "Content-Type: application/json" \\
  -d '{"model": "%{model}", "stream": true,
       "messages": [{"role": "user", "content": "What is the capital of Italy?"}]}'
""",
            ),
        ),
    ),
)
