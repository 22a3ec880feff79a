"""What the API calls its models: ``models/gemini-2.5-flash``, ``tunedModels/mine``."""

_KINDS = ("models/", "tunedModels/")


def resource_name(model: str) -> str:
    """Return the resource of a model, whose kind may be told in its name."""
    return model if model.startswith(_KINDS) else f"models/{model}"
