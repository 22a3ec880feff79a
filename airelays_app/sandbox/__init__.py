"""A stand-in upstream that speaks the real wire protocols."""

from airelays_app.sandbox.sandbox import Sandbox

__all__ = ["Sandbox"]
