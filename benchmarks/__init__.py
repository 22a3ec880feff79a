"""How fast the relay is beside a bare one; see README.rst in this directory."""
