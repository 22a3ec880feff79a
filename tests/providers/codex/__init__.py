"""Tests of the ChatGPT subscription's adapter."""
