"""What runs batches, in this process and step by step, on a sandbox that plays every provider."""

from dataclasses import replace
from time import time

from airelays_app.composition.batching import build_batching
from airelays_app.composition.core import build_core
from airelays_app.composition.replies import build_replies
from airelays_app.config import load_settings
from airelays_app.providers.registry import Surroundings
from airelays_app.services.batch_requests import inline_requests
from airelays_app.store.conversations import ConversationStore
from airelays_app.store.files import FileStore

OWNER = "somebody"
ENDED = ("completed", "cancelled", "expired", "failed")
CHAT = "/v1/chat/completions"
MOST_STEPS = 200
DAY = 86_400


def keep():
    return True


def request(text, model="openai/sandbox-small", custom_id=None, **fields):
    body = {"model": model, "messages": [{"role": "user", "content": text}], **fields}
    return {"body": body} | ({"custom_id": custom_id} if custom_id else {})


def says(result):
    """Return the text of a result in the dialect of Chat Completions."""
    return result.response["choices"][0]["message"]["content"]


class Desk:
    """The batches of one data directory; a second one there is what runs after a restart.

    It never waits: what is to be looked at later is looked at with the next step.
    """

    def __init__(self, folder, sandbox, **environ):
        settings = load_settings(
            {"paths.data_dir": folder},
            environ={
                "HOME": str(folder),
                "AIRELAYS_LOCAL_ENABLED": "false",
                "AIRELAYS_UPSTREAM_RETRY_ATTEMPTS": "0",
                "AIRELAYS_PROVIDERS_OPENAI_BASE_URL": sandbox.compatible_url,
                "AIRELAYS_PROVIDERS_OPENAI_API_KEY": sandbox.compatible_key,
                "AIRELAYS_PROVIDERS_BOX_BASE_URL": sandbox.compatible_url,
                "AIRELAYS_PROVIDERS_BOX_API_KEY": sandbox.compatible_key,
                "AIRELAYS_PROVIDERS_ANTHROPIC_BASE_URL": sandbox.anthropic_url,
                "AIRELAYS_PROVIDERS_ANTHROPIC_API_KEY": sandbox.anthropic_key,
                "AIRELAYS_PROVIDERS_GEMINI_BASE_URL": sandbox.gemini_url,
                "AIRELAYS_PROVIDERS_GEMINI_API_KEY": sandbox.gemini_key,
                "AIRELAYS_PROVIDERS_MISTRAL_BASE_URL": sandbox.mistral_url,
                "AIRELAYS_PROVIDERS_MISTRAL_API_KEY": sandbox.mistral_key,
                "AIRELAYS_PROVIDERS_XAI_BASE_URL": sandbox.xai_url,
                "AIRELAYS_PROVIDERS_XAI_API_KEY": sandbox.xai_key,
                **environ,
            },
        )
        settings = replace(settings, batches=replace(settings.batches, native_poll_seconds=0))
        self.core = build_core(settings, Surroundings(environ={}))
        self.files = FileStore(
            self.core.database, folder / "uploads", max_file_bytes=10**7, max_total_bytes=10**8
        )
        conversations = ConversationStore(self.core.database, max_history_bytes=10**6)
        replies = build_replies(settings, self.core, self.files, conversations)
        self.batching = build_batching(settings, self.core, self.files, replies.creation)
        self.store = self.batching.store

    def create(self, requests, endpoint=CHAT):
        """Create a batch; return its id."""
        read = inline_requests(requests, endpoint)
        batch = self.store.create(
            read,
            owner=OWNER,
            endpoint=endpoint,
            input_file_id=None,
            metadata={},
            completion_window="24h",
            window_seconds=DAY,
            planned=self.batching.plan(read, DAY),
        )
        return batch.id

    def batch(self, batch_id):
        return self.store.get(batch_id, OWNER)

    def step(self):
        """Have everybody do what there is to do now."""
        for chore in (self.batching.native, self.batching.runner):
            if chore.is_due():
                chore.run(keep)

    def run(self, batch_id):
        """Step until a batch has ended; return its results in their order."""
        for _ in range(MOST_STEPS):
            self.step()
            if self.batch(batch_id).status in ENDED:
                return self.results(batch_id)
        raise AssertionError(self.batch(batch_id))

    def let_pauses_pass(self):
        """Have what is to be looked at later looked at now."""
        self._change("UPDATE batch_submissions SET look_at = 0")

    def let_pauses_last(self, seconds):
        """Have what is to be looked at only looked at so much later."""
        self._change("UPDATE batch_submissions SET look_at = ?", int(time()) + seconds)

    def let_time_run_out(self, batch_id):
        """Have a batch's time be over, just now."""
        self._change("UPDATE batches SET expires_at = ? WHERE id = ?", int(time()), batch_id)

    def let_age(self, batch_id, seconds):
        """Have a batch's end be longer ago."""
        self._change(
            "UPDATE batches SET completed_at = completed_at - ? WHERE id = ?", seconds, batch_id
        )

    def _change(self, statement, *values):
        with self.core.database.writing() as connection:
            connection.execute(statement, values)

    def results(self, batch_id):
        return list(self.store.results(batch_id))

    def close(self):
        self.core.calls.close()
        self.core.database.close()
