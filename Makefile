# What takes more than "python -m pytest". PYTHON is one with the [test] extra installed.
PYTHON = .venv/bin/python
CODEX_VERSION = 0.169.0
CLAUDE_VERSION = 2.1.332
GEMINI_VERSION = 0.61.0

CODEX = $(CURDIR)/.clients/node_modules/.bin/codex
CLAUDE = $(CURDIR)/.clients/node_modules/.bin/claude
GEMINI = $(CURDIR)/.clients/node_modules/.bin/gemini
NPM_INSTALL = npm install --no-audit --no-fund --prefix .clients

.PHONY: clients fuzz soak

# Real clients against a relay; needs npm, and installs Codex CLI, Claude Code and Gemini CLI below
# .clients.
clients: $(CODEX) $(CLAUDE) $(GEMINI)
	AIRELAYS_TEST_CODEX=$(CODEX) AIRELAYS_TEST_CLAUDE=$(CLAUDE) AIRELAYS_TEST_GEMINI=$(GEMINI) \
		$(PYTHON) -m pytest tests/clients

$(CODEX):
	$(NPM_INSTALL) @openai/codex@$(CODEX_VERSION)

$(CLAUDE):
	$(NPM_INSTALL) @anthropic-ai/claude-code@$(CLAUDE_VERSION)

$(GEMINI):
	$(NPM_INSTALL) @google/gemini-cli@$(GEMINI_VERSION)

# 10,000 generated requests to a real relay, others each time; takes minutes.
fuzz:
	FUZZ_CASES=10000 $(PYTHON) -m pytest tests/hostile/test_fuzz.py

# 16,000 requests of eight clients, a third of them given up halfway; takes minutes.
soak:
	SOAK_ROUNDS=200 $(PYTHON) -m pytest tests/hostile/test_soak.py
