"""``python -m airelays_app.cli`` is the command ``airelays``."""

from airelays_app.cli import main

main()
