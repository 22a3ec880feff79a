"""A stand-in upstream that speaks the real wire protocols."""
