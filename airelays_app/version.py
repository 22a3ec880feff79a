"""The one place that names the version."""

VERSION = "1.0.0"
