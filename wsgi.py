"""The application for any WSGI server: ``gunicorn wsgi:app``."""

from airelays_app.composition.application import begin_work, create_app
from airelays_app.config import load_settings
from airelays_app.logs import configure

settings = load_settings()
configure(level=settings.logging.level, style=settings.logging.format)
app = create_app(settings)
begin_work(app)
