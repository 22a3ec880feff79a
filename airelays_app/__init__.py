"""AIRelays: one private address for every LLM client and every model in the house."""
