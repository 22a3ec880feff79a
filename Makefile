# What takes more than "python -m pytest". PYTHON is one with the [test] extra installed.
PYTHON = .venv/bin/python
CODEX_VERSION = 0.169.0

CODEX = $(CURDIR)/.clients/node_modules/.bin/codex

.PHONY: clients fuzz

# Real clients against a relay; needs npm, and installs Codex CLI below .clients.
clients: $(CODEX)
	AIRELAYS_TEST_CODEX=$(CODEX) $(PYTHON) -m pytest tests/clients

$(CODEX):
	npm install --no-audit --no-fund --prefix .clients @openai/codex@$(CODEX_VERSION)

# 10,000 generated requests to a real relay, others each time; takes minutes.
fuzz:
	FUZZ_CASES=10000 $(PYTHON) -m pytest tests/hostile/test_fuzz.py
