"""The gunicorn arbiter and worker."""
