"""What real clients put into a request is taken by every upstream.

The bodies are those of clients that were recorded (2026-11-22), cut down to what each of them
adds: fields that nobody asked for, tools that are no functions, empty lists, ids, mixed spellings.
Clients that always send a token limit are refused by name at the subscription, which has none.
"""

import pytest

UPSTREAMS = {
    "the subscription": "gpt-5.5",
    "a chat server": "box/sandbox-small",
    "a Responses server": "plain/sandbox-small",
    "Anthropic": "anthropic/claude-sonnet-4-5",
    "Google": "gemini/gemini-2.5-flash",
}
SCHEMA = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {"cmd": {"type": "string"}},
    "required": ["cmd"],
    "additionalProperties": False,
}
FUNCTION = {"name": "exec_command", "description": "Run it.", "parameters": SCHEMA}
SAID = "[[say Hi]]"
RESPONSES = {
    "codex": {
        "input": [
            {
                "type": "message",
                "id": "msg_019a0000-0000-7000-8000-000000000000",
                "role": "developer",
                "content": [{"type": "input_text", "text": "You are Codex."}],
            },
            {
                "type": "message",
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "<environment_context/>"},
                    {"type": "input_text", "text": SAID},
                ],
            },
        ],
        "tools": [
            {"type": "function", "strict": False, **FUNCTION},
            {
                "type": "namespace",
                "name": "multi_agent_v1",
                "description": "Agents.",
                "tools": [{"type": "function", **FUNCTION, "name": "spawn", "strict": False}],
            },
            {"type": "web_search", "external_web_access": True},
            {"type": "custom", "name": "apply_patch", "description": "Patch."},
        ],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "reasoning": {"summary": "auto"},
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": "019a0000-0000-7000-8000-000000000001",
        "client_metadata": {"x-codex-installation-id": '{"a": "b"}'},
    },
    "agents": {"input": SAID, "tools": [], "include": []},
    "opencode": {
        "input": [
            {"role": "developer", "content": "You are opencode."},
            {"role": "user", "content": [{"type": "input_text", "text": SAID}]},
        ],
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "text": {"verbosity": "low"},
        "reasoning": {"effort": "medium", "summary": "auto"},
        "prompt_cache_key": "ses_1",
        "tools": [{"type": "function", **FUNCTION}],
        "max_output_tokens": 32000,
    },
    "langchain": {
        "input": [
            {"role": "user", "content": SAID},
            {
                "type": "function_call",
                "id": "fc_1",
                "call_id": "call_1",
                "name": "exec_command",
                "arguments": '{"cmd": "ls"}',
                "status": "completed",
            },
            {"type": "function_call_output", "call_id": "call_1", "output": SAID},
        ],
        "stream": False,
        "tools": [{"type": "function", **FUNCTION}],
    },
}
RESPONSES["openai sdk, all fields"] = {
    "input": [
        {"role": "user", "content": "Hm?", "type": "message"},
        {
            "id": "rs_1",
            "summary": [],
            "type": "reasoning",
            "content": None,
            "encrypted_content": None,
            "status": None,
        },
        {
            "id": "msg_1",
            "content": [
                {"annotations": [], "text": "Hm.", "type": "output_text", "logprobs": None}
            ],
            "role": "assistant",
            "status": "completed",
            "type": "message",
            "phase": None,
        },
        {
            "arguments": "{}",
            "call_id": "call_1",
            "name": "exec_command",
            "type": "function_call",
            "id": "fc_1",
            "namespace": None,
            "status": "completed",
        },
        {"type": "function_call_output", "call_id": "call_1", "output": SAID},
    ],
    "tools": [{"type": "function", **FUNCTION}],
    "previous_response_id": None,
    "max_output_tokens": None,
    "temperature": None,
}
CHAT = {
    "openai sdk, all fields": {
        "messages": [
            {"role": "user", "content": "Hm?", "name": None},
            {
                "content": None,
                "refusal": None,
                "role": "assistant",
                "annotations": [],
                "audio": None,
                "function_call": None,
                "tool_calls": [
                    {
                        "id": "call_1",
                        "function": {"arguments": "", "name": "exec_command"},
                        "type": "function",
                    }
                ],
                "reasoning_content": "Hm.",
            },
            {"role": "tool", "tool_call_id": "call_1", "content": SAID},
        ],
        "tools": [{"type": "function", "function": FUNCTION}],
        "temperature": None,
        "max_tokens": None,
        "response_format": None,
        "stop": None,
        "n": 1,
    },
    "opencode": {
        "messages": [{"role": "system", "content": "Hm."}, {"role": "user", "content": SAID}],
        "max_tokens": 32000,
        "reasoning_effort": "medium",
        "tools": [{"type": "function", "function": FUNCTION}],
        "tool_choice": "auto",
    },
    "librechat": {
        "messages": [{"role": "user", "content": SAID}],
        "temperature": 1,
        "top_p": 1,
        "presence_penalty": 0,
        "frequency_penalty": 0,
        "user": "66a0f3",
    },
    "aisdk": {
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": SAID}]},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "call_1",
                        "type": "function",
                        "function": {"name": "exec_command", "arguments": '{"cmd":"ls"}'},
                    }
                ],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": SAID},
        ],
        "tools": [{"type": "function", "function": FUNCTION}],
        "tool_choice": "auto",
    },
    "langchain": {
        "messages": [{"role": "user", "content": SAID}],
        "tools": [{"type": "function", "function": FUNCTION}],
        "parallel_tool_calls": False,
        "stream": False,
    },
}
MESSAGES = {
    "claude code": {
        "max_tokens": 32000,
        "system": [
            {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1.330.abc"},
            {"type": "text", "text": "You are.", "cache_control": {"type": "ephemeral"}},
        ],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "<system-reminder>Hm.</system-reminder>"},
                    {"type": "text", "text": SAID, "cache_control": {"type": "ephemeral"}},
                ],
            }
        ],
        "tools": [
            {
                "name": "Bash",
                "description": "Run.",
                "input_schema": SCHEMA,
                "eager_input_streaming": True,
            }
        ],
        "metadata": {"user_id": '{"device_id": "d", "session_id": "s"}'},
    },
    "opencode": {
        "max_tokens": 32000,
        "system": [{"type": "text", "text": "You are opencode."}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": SAID}]}],
        "tools": [{"name": "bash", "description": "Run.", "input_schema": SCHEMA}],
        "tool_choice": {"type": "auto"},
    },
}
GEMINI = {
    "gemini cli": {
        "contents": [
            {"role": "user", "parts": [{"text": "<session_context/>"}, {"text": SAID}]},
        ],
        "systemInstruction": {"role": "user", "parts": [{"text": "You are."}]},
        "tools": [
            {
                "functionDeclarations": [
                    {"name": "run", "description": "Run.", "parametersJsonSchema": SCHEMA}
                ]
            }
        ],
        "generationConfig": {
            "temperature": 1,
            "topP": 0.95,
            "topK": 64,
            "thinkingConfig": {"includeThoughts": True, "thinkingBudget": 8192},
        },
    },
    "google-genai": {
        "contents": [{"role": "user", "parts": [{"text": SAID}]}],
        "tools": [
            {"functionDeclarations": [{"name": "run", "parameters_json_schema": SCHEMA}]},
        ],
        "generationConfig": {},
    },
}
BODIES = [
    *(("/v1/responses", client, body) for client, body in RESPONSES.items()),
    *(("/v1/chat/completions", client, body) for client, body in CHAT.items()),
    *(("/v1/messages?beta=true", client, body) for client, body in MESSAGES.items()),
    *(("/v1beta/models/{}:generateContent", client, body) for client, body in GEMINI.items()),
]
ALWAYS_LIMITED = [("/v1/responses", "opencode")]
"""Clients whose limit the subscription refuses, unless ``compat.token_limits`` says otherwise."""


@pytest.fixture(scope="module")
def module_relay(start_relay):
    return start_relay(plain="responses", vendors=True)


@pytest.mark.parametrize("model", UPSTREAMS.values(), ids=UPSTREAMS)
@pytest.mark.parametrize(
    ("path", "client", "body"), BODIES, ids=[f"{client} {path}" for path, client, _ in BODIES]
)
def test_the_body_is_taken(relay, model, path, client, body):
    sent = body if "{}" in path else {"model": model, **body}

    answer = relay.post(path.format(model), sent)

    if (path, client) in ALWAYS_LIMITED and model == UPSTREAMS["the subscription"]:
        assert answer.status_code == 422
        assert answer.json()["error"]["param"] == "max_output_tokens"
        return
    assert answer.status_code == 200, answer.text
    assert "Hi" in answer.text
