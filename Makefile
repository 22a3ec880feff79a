# What takes more than "python -m pytest". PYTHON is one with the [test] extra installed.
PYTHON = .venv/bin/python

# Newer releases of openai and ai than these want a newer Node than 20. LibreChat's engine says that
# it does too, and runs on 20 all the same. torch is for Open WebUI: of the pinned release pip
# prefers a CPU build that it finds (PIP_FIND_LINKS, PIP_EXTRA_INDEX_URL); the one of the package
# index brings gigabytes of CUDA.
AIDER_VERSION = 0.86.2
AGENTS_SDK_VERSION = 0.24.0
AI_SDK_VERSION = 6.0.326
AI_SDK_COMPATIBLE_VERSION = 2.0.92
AI_SDK_OPENAI_VERSION = 3.0.141
CHERRY_STUDIO_CORE_VERSION = 2.0.1
CLAUDE_CODE_VERSION = 2.1.332
CODEX_VERSION = 0.169.0
DOTENV_VERSION = 16.6.1
GEMINI_CLI_VERSION = 0.61.0
JS_YAML_VERSION = 4.3.2
LANGCHAIN_VERSION = 1.7.4
LIBRECHAT_AGENTS_VERSION = 3.9.2
LIBRECHAT_SCHEMA_VERSION = 0.8.524
LLM_VERSION = 0.36
OPENAI_NODE_VERSION = 6.49.0
OPENCODE_VERSION = 1.18.33
OPEN_WEBUI_VERSION = 0.12.4
TORCH_VERSION = 2.13.0
WS_VERSION = 8.23.0
ZOD_VERSION = 4.6.7

NPM_CLIENTS = \
	@ai-sdk/openai-compatible@$(AI_SDK_COMPATIBLE_VERSION) \
	@ai-sdk/openai@$(AI_SDK_OPENAI_VERSION) \
	@anthropic-ai/claude-code@$(CLAUDE_CODE_VERSION) \
	@cherrystudio/ai-core@$(CHERRY_STUDIO_CORE_VERSION) \
	@google/gemini-cli@$(GEMINI_CLI_VERSION) \
	@librechat/agents@$(LIBRECHAT_AGENTS_VERSION) \
	@openai/codex@$(CODEX_VERSION) \
	ai@$(AI_SDK_VERSION) \
	dotenv@$(DOTENV_VERSION) \
	js-yaml@$(JS_YAML_VERSION) \
	librechat-data-provider@$(LIBRECHAT_SCHEMA_VERSION) \
	openai@$(OPENAI_NODE_VERSION) \
	opencode-ai@$(OPENCODE_VERSION) \
	ws@$(WS_VERSION) \
	zod@$(ZOD_VERSION)

.PHONY: clients fuzz soak

# Real clients against a relay, each a turn with a tool. Installs them below .clients; needs npm.
clients: .clients/installed
	$(PYTHON) -m pytest tests/clients

# An install script of LibreChat's engine reports installations unless it is told not to.
.clients/installed: Makefile
	DO_NOT_TRACK=1 npm install --no-audit --no-fund --prefix .clients $(NPM_CLIENTS)
	$(call VENV,aider,aider-chat==$(AIDER_VERSION))
	$(call VENV,agents-sdk,openai-agents==$(AGENTS_SDK_VERSION))
	$(call VENV,langchain,langchain-openai==$(LANGCHAIN_VERSION))
	$(call VENV,llm,llm==$(LLM_VERSION))
	$(call VENV,open-webui,torch==$(TORCH_VERSION) open-webui==$(OPEN_WEBUI_VERSION))
	touch $@

# Each of Python's clients has a place of its own: aider wants other releases than the tests do.
VENV = $(PYTHON) -m venv .clients/$(1) && .clients/$(1)/bin/pip install -q $(2)

# 10,000 generated requests to a real relay, others each time; takes minutes.
fuzz:
	FUZZ_CASES=10000 $(PYTHON) -m pytest -n 0 tests/hostile/test_fuzz.py

# 16,000 requests of eight clients, a third of them given up halfway; takes minutes.
soak:
	SOAK_ROUNDS=200 $(PYTHON) -m pytest -n 0 tests/hostile/test_soak.py
