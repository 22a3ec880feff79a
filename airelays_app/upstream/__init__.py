"""Calls to upstreams: sessions, reading, failures, retries."""
