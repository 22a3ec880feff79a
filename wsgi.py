"""The application for any WSGI server: ``gunicorn wsgi:app``."""

from airelays_app.composition.application import begin_work, create_app
from airelays_app.config import load_settings
from airelays_app.logs import configure, speak_for_process

settings = load_settings()
configure(level=settings.logging.level, style=settings.logging.format)
speak_for_process()
app = create_app(settings)
begin_work(app)
