"""The embedded model: a llama.cpp server that AIRelays installs and supervises itself."""
