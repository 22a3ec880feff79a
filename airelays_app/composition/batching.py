"""Batches: their stores, who runs them here, and who has providers run them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from airelays_app.composition.core import Core
from airelays_app.config import Settings
from airelays_app.services.batch_ends import BatchEnds
from airelays_app.services.batch_files import ResultFiles
from airelays_app.services.batches import BatchRunner, performer
from airelays_app.services.creation import Creation
from airelays_app.services.native_batches import NativeBatches
from airelays_app.services.native_drafts import Drafts
from airelays_app.services.native_handover import Handover
from airelays_app.services.native_plan import plan
from airelays_app.services.native_results import Harvest
from airelays_app.store.batch_retention import BatchRetention
from airelays_app.store.batch_submissions import SubmissionStore
from airelays_app.store.batch_work import BatchWork
from airelays_app.store.batches import BatchRequest, BatchStore, Planned
from airelays_app.store.files import FileStore

_DAY_SECONDS = 86_400

Plan = Callable[[Sequence[BatchRequest], int], Sequence[Planned]]


@dataclass(frozen=True, slots=True)
class Batching:
    """What works with batches.

    ``plan`` says which requests of a new one providers are to run, if it may take so many seconds.
    """

    store: BatchStore
    plan: Plan
    runner: BatchRunner
    native: NativeBatches
    retention: BatchRetention


def build_batching(
    settings: Settings, core: Core, files: FileStore, creation: Creation
) -> Batching:
    """Return it; nothing is opened and nothing begun."""
    rules = settings.batches
    store = BatchStore(core.database)
    perform = performer(creation, core.router)
    work = BatchWork(core.database)
    ends = BatchEnds(work, ResultFiles(store, files))
    return Batching(
        store=store,
        plan=_plan(core) if rules.native else lambda *_: (),
        runner=BatchRunner(work, ends, perform, concurrency=rules.concurrency),
        retention=BatchRetention(
            core.database, max_age_seconds=rules.retention_days * _DAY_SECONDS
        ),
        native=_native(core, Drafts(creation), rules.native_poll_seconds),
    )


def _plan(core: Core) -> Plan:
    return lambda requests, seconds: plan(requests, core.router, window_seconds=seconds)


def _native(core: Core, drafts: Drafts, poll_seconds: int) -> NativeBatches:
    submissions = SubmissionStore(core.database)
    handover = Handover(submissions, core.pool, core.calls, drafts, poll_seconds=poll_seconds)
    return NativeBatches(
        submissions,
        core.accounts,
        core.calls,
        handover=handover,
        harvest=Harvest(submissions, drafts),
        poll_seconds=poll_seconds,
    )
