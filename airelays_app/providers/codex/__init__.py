"""The ChatGPT subscription: its login and its backend."""
