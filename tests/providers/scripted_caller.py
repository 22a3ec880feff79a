"""What answers calls about batches with what a test has written down."""


class Caller:
    """Answers each call with the next one of these."""

    def __init__(self, *answers):
        self._answers = iter(answers)
        self.targets = []

    def ask(self, call):
        self.targets.append(call.target)
        return next(self._answers)
