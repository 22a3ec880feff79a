"""The fields of the generation routes and the JSON types that each may have."""

INSTEAD = {
    "null": None,
    "boolean": True,
    "integer": 7,
    "number": 1.5,
    "string": "text",
    "array": [],
    "object": {},
}
"""One value of each JSON type."""

_SHARED = {
    "model": "string",
    "stream": "boolean null",
    "store": "boolean null",
    "conversation": "string object null",
    "temperature": "integer number null",
    "top_p": "integer number null",
    "metadata": "object null",
    "user": "string null",
    "safety_identifier": "string null",
    "service_tier": "string null",
    "prompt_cache_key": "string null",
    "stream_options": "object null",
    "top_logprobs": "integer null",
}
_COMPLETING = {
    "n": "integer null",
    "presence_penalty": "integer number null",
    "frequency_penalty": "integer number null",
    "seed": "integer null",
    "stop": "string array null",
    "logit_bias": "object null",
    "max_tokens": "integer null",
    "reasoning_effort": "string null",
}
TYPES = {
    "responses": {
        "input": "string array object",
        "instructions": "string null",
        "tools": "array null",
        "tool_choice": "string object null",
        "parallel_tool_calls": "boolean null",
        "text": "object null",
        "reasoning": "object null",
        "include": "array null",
        "max_output_tokens": "integer null",
        "previous_response_id": "string null",
        "background": "boolean null",
        "truncation": "string null",
        **_SHARED,
    },
    "chat/completions": {
        "messages": "array",
        "tools": "array null",
        "tool_choice": "string object null",
        "functions": "array null",
        "function_call": "string object null",
        "parallel_tool_calls": "boolean null",
        "response_format": "object null",
        "verbosity": "string null",
        "max_completion_tokens": "integer null",
        "modalities": "array null",
        "audio": "object null",
        "prediction": "object null",
        "logprobs": "boolean null",
        **_SHARED,
        **_COMPLETING,
    },
    "completions": {
        "prompt": "string array null",
        "best_of": "integer null",
        "echo": "boolean null",
        "logprobs": "integer null",
        "suffix": "string null",
        **_SHARED,
        **_COMPLETING,
    },
}
"""Which JSON types each field may have (OpenAI API reference, seen 2026-11-22)."""

SAYING = {
    "responses": {"input": "hi"},
    "chat/completions": {"messages": [{"role": "user", "content": "hi"}]},
    "completions": {"prompt": "hi"},
}
"""The least that each route wants beside a model."""

_SCHEMA = {
    "type": "object",
    "properties": {
        "a": {"type": "string", "enum": ["x", None]},
        "b": {"anyOf": [{"type": "integer"}, {"$ref": "#/$defs/c"}]},
        "d": {"type": ["array", "null"], "items": {"type": "object", "properties": {}}},
    },
    "required": ["a"],
    "additionalProperties": False,
    "$defs": {"c": {"const": 1}},
}
_CALL = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": '{"a":"x"}'}
_PNG = "data:image/png;base64,iVBORw0KGgo="
RICH = {
    "responses": {
        "instructions": "Be kind.",
        "input": [
            {"type": "message", "role": "developer", "content": "Be brief."},
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "hi"},
                    {"type": "input_image", "image_url": _PNG, "detail": "low"},
                    {"type": "input_file", "filename": "a.txt", "file_data": "aGVsbG8="},
                    {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
                ],
            },
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "sealed"},
            {**_CALL, "id": "fc_1", "status": "completed"},
            {"type": "function_call_output", "call_id": "call_1", "output": "done"},
            {"type": "custom_tool_call", "call_id": "call_2", "name": "g", "input": "text"},
            {
                "type": "custom_tool_call_output",
                "call_id": "call_2",
                "output": [{"type": "input_text", "text": "done"}],
            },
            {"type": "message", "role": "assistant", "content": [{"type": "refusal"}]},
        ],
        "tools": [
            {"type": "function", "name": "f", "parameters": _SCHEMA, "strict": True},
            {"type": "custom", "name": "g", "format": {"type": "text"}},
            {"type": "namespace", "name": "n", "tools": [{"type": "function", "name": "h"}]},
            {"type": "web_search"},
        ],
        "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"name": "f"}]},
        "text": {
            "verbosity": "low",
            "format": {"type": "json_schema", "name": "s", "schema": _SCHEMA, "strict": True},
        },
        "reasoning": {"effort": "low", "summary": "auto"},
        "include": ["reasoning.encrypted_content"],
        "metadata": {"a": "b"},
        "user": "me",
        "temperature": 0.5,
    },
    "chat": {
        "messages": [
            {"role": "system", "content": "Be kind.", "name": "n"},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "hi"},
                    {"type": "image_url", "image_url": {"url": _PNG, "detail": "low"}},
                    {"type": "file", "file": {"filename": "a.txt", "file_data": "aGVsbG8="}},
                    {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
                ],
            },
            {
                "role": "assistant",
                "content": None,
                "refusal": None,
                "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                    {"id": "c2", "type": "custom", "custom": {"name": "g", "input": "x"}},
                ],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "done"},
            {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "done"}]},
            {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}},
            {"role": "function", "name": "f", "content": "done"},
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "c3", "name": "f", "input": {"a": "x"}}],
            },
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "c3", "content": "done"}],
            },
        ],
        "system": [{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}],
        "tools": [
            {"type": "function", "function": {"name": "f", "parameters": _SCHEMA}},
            {"type": "custom", "custom": {"name": "g", "format": {"type": "text"}}},
            {"type": "function", "name": "flat", "parameters": _SCHEMA, "strict": True},
            {"type": "custom", "name": "h", "format": {"type": "text"}},
            {"name": "i", "input_schema": _SCHEMA},
        ],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "s", "schema": _SCHEMA, "strict": True},
        },
        "stream_options": {"include_usage": True},
        "stop": ["a", "b"],
        "logit_bias": {"1": 2},
        "metadata": {"a": "b"},
        "reasoning_effort": "low",
    },
    "messages": {
        "max_tokens": 100,
        "system": [{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "hi"},
                    {"type": "image", "source": {"type": "url", "url": "https://x.test/a.png"}},
                    {
                        "type": "document",
                        "title": "a.txt",
                        "source": {"type": "text", "media_type": "text/plain", "data": "hello"},
                    },
                ],
            },
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "Hm.", "signature": "sealed"},
                    {"type": "redacted_thinking", "data": "sealed"},
                    {"type": "text", "text": "Let me see."},
                    {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": "x"}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "toolu_1",
                        "content": [{"type": "text", "text": "done"}],
                        "is_error": False,
                    }
                ],
            },
        ],
        "tools": [
            {"name": "f", "description": "It does.", "input_schema": _SCHEMA},
            {"type": "web_search_20250305", "name": "web_search", "max_uses": 1},
        ],
        "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": _SCHEMA}},
        "stop_sequences": ["a", "b"],
        "metadata": {"user_id": "me"},
        "temperature": 0.5,
        "top_k": 3,
        "service_tier": "auto",
    },
    "gemini": {
        "contents": [
            {
                "role": "user",
                "parts": [
                    {"text": "hi"},
                    {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}},
                    {"fileData": {"mimeType": "image/png", "fileUri": "https://x.test/a.png"}},
                ],
            },
            {
                "role": "model",
                "parts": [
                    {"text": "Hm.", "thought": True, "thoughtSignature": "c2VhbGVk"},
                    {"functionCall": {"id": "c1", "name": "f", "args": {"a": "x"}}},
                    {"executableCode": {"language": "PYTHON", "code": "1"}},
                ],
            },
            {
                "role": "user",
                "parts": [{"functionResponse": {"id": "c1", "name": "f", "response": {"a": 1}}}],
            },
        ],
        "systemInstruction": {"parts": [{"text": "Be kind."}]},
        "tools": [
            {
                "functionDeclarations": [
                    {
                        "name": "f",
                        "description": "It does.",
                        "parameters": {
                            "type": "OBJECT",
                            "properties": {"a": {"type": "STRING", "nullable": True}},
                            "required": ["a"],
                        },
                    },
                    {"name": "g", "parametersJsonSchema": _SCHEMA},
                ]
            },
            {"googleSearch": {}},
        ],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
        "generationConfig": {
            "temperature": 0.5,
            "topK": 3,
            "maxOutputTokens": 100,
            "candidateCount": 1,
            "stopSequences": ["a"],
            "responseMimeType": "application/json",
            "responseSchema": {"type": "ARRAY", "items": {"type": "INTEGER"}},
            "thinkingConfig": {"includeThoughts": True, "thinkingBudget": 100},
        },
        "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
    },
    "completions": {
        "prompt": ["hi"],
        "stop": ["a", "b"],
        "stream_options": {"include_usage": True},
        "metadata": {"a": "b"},
        "logit_bias": {"1": 2},
        "seed": 1,
    },
}
"""Much of what a request may hold, all of it of the right type."""

LEAST = {
    "responses": SAYING["responses"],
    "chat": SAYING["chat/completions"],
    "completions": SAYING["completions"],
    "messages": {"max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]},
    "gemini": {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
}
"""The least that each dialect wants beside a model."""

PATHS = {
    "responses": "/v1/responses",
    "chat": "/v1/chat/completions",
    "completions": "/v1/completions",
    "messages": "/v1/messages",
    "gemini": "/v1beta/models/gpt-5.5:generateContent",
}
"""Where each dialect is spoken."""
