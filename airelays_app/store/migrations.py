"""The tables, step by step, from any released schema to today's.

Each step is a function registered on :data:`MIGRATIONS` in the order in which it runs; it
receives a :class:`sqlite_utils.Database`, finds the tables as the steps above left them, and is
never edited once released. New steps go at the end of this file, below the last one.

The first steps also adopt what earlier releases wrote: ``files`` and ``conversations`` without a
recorded schema version (seen in 0.2.4 and 0.22, 2026-11-22).
"""

from sqlite_utils import Database as Tables
from sqlite_utils import Migrations

from airelays_app.store import legacy

MIGRATIONS = Migrations("airelays")


def _set_aside(db: Tables, name: str) -> str | None:
    """Rename the table of an earlier release out of the way; return its new name."""
    if name not in db.table_names():
        return None
    aside = f"{name}_of_earlier_release"
    db.execute(f"ALTER TABLE {name} RENAME TO {aside}")
    return aside


@MIGRATIONS()
def create_files(db: Tables) -> None:
    """Uploaded files; ``sequence`` is the order of arrival, ``deleted_at`` marks a tombstone."""
    adopted = _set_aside(db, "files")
    db.execute(
        """
        CREATE TABLE files (
            sequence INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            owner TEXT,
            filename TEXT NOT NULL,
            purpose TEXT NOT NULL,
            content_type TEXT NOT NULL,
            bytes INTEGER NOT NULL,
            sha256 TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            storage_path TEXT NOT NULL,
            deleted_at INTEGER
        )
        """
    )
    db.execute("CREATE INDEX files_by_age ON files (created_at, sequence)")
    db.execute("CREATE INDEX files_bytes ON files (deleted_at, bytes)")
    if adopted:
        legacy.adopt_files(db, adopted)


@MIGRATIONS()
def create_conversations(db: Tables) -> None:
    """Conversations, their items as rows, and the lease of the turn that is running.

    A lease ends at ``expires_at`` seconds since the boot that its ``holder`` names.
    """
    adopted = _set_aside(db, "conversations")
    db.execute(
        """
        CREATE TABLE conversations (
            id TEXT PRIMARY KEY,
            owner TEXT,
            metadata_json TEXT NOT NULL,
            latest_response_id TEXT,
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            next_position INTEGER NOT NULL
        )
        """
    )
    db.execute(
        """
        CREATE TABLE conversation_items (
            conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
            position INTEGER NOT NULL,
            item_id TEXT NOT NULL,
            type TEXT NOT NULL,
            json TEXT NOT NULL,
            PRIMARY KEY (conversation_id, position),
            UNIQUE (conversation_id, item_id)
        )
        """
    )
    db.execute(
        """
        CREATE TABLE conversation_turns (
            conversation_id TEXT PRIMARY KEY REFERENCES conversations (id) ON DELETE CASCADE,
            token TEXT NOT NULL,
            holder TEXT NOT NULL,
            expires_at REAL NOT NULL
        )
        """
    )
    if adopted:
        legacy.adopt_conversations(db, adopted)


@MIGRATIONS()
def create_limits(db: Tables) -> None:
    """Counts of the rate limits, blocked addresses, and which credential has worked from where.

    All moments are seconds of the steady clock, whose offset for this boot is ``limit_clock``.
    """
    db.execute("CREATE TABLE limit_clock (boot TEXT PRIMARY KEY, offset REAL NOT NULL)")
    db.execute(
        """
        CREATE TABLE limit_counters (
            key TEXT PRIMARY KEY,
            value INTEGER NOT NULL,
            expires_at REAL NOT NULL
        )
        """
    )
    db.execute(
        "CREATE TABLE limit_entries (key TEXT NOT NULL, at REAL NOT NULL, expires_at REAL NOT NULL)"
    )
    db.execute("CREATE INDEX limit_entries_by_key ON limit_entries (key, at)")
    db.execute("CREATE INDEX limit_entries_by_expiry ON limit_entries (expires_at)")
    db.execute(
        """
        CREATE TABLE limit_buckets (
            key TEXT PRIMARY KEY,
            tokens REAL NOT NULL,
            updated_at REAL NOT NULL,
            full_at REAL NOT NULL
        )
        """
    )
    db.execute(
        """
        CREATE TABLE lockouts (
            address TEXT NOT NULL,
            origin TEXT NOT NULL,
            blocked_at REAL NOT NULL,
            blocked_until REAL NOT NULL,
            PRIMARY KEY (address, origin)
        )
        """
    )
    db.execute(
        """
        CREATE TABLE known_credentials (
            address TEXT NOT NULL,
            fingerprint TEXT NOT NULL,
            last_used_at REAL NOT NULL,
            PRIMARY KEY (address, fingerprint)
        )
        """
    )


@MIGRATIONS()
def create_account_benches(db: Tables) -> None:
    """Accounts of providers that are left alone for a while."""
    db.execute(
        """
        CREATE TABLE account_benches (
            provider TEXT NOT NULL,
            account TEXT NOT NULL,
            kind TEXT NOT NULL,
            until REAL NOT NULL,
            probe_at REAL NOT NULL,
            PRIMARY KEY (provider, account)
        )
        """
    )


@MIGRATIONS()
def create_leases_and_batches(db: Tables) -> None:
    """Who does the work that has one owner; batches with a row for each of their requests.

    A lease ends at ``expires_at`` seconds since boot. A request without ``status`` has no result.
    """
    db.execute(
        "CREATE TABLE leases (name TEXT PRIMARY KEY, holder TEXT NOT NULL, "
        "expires_at REAL NOT NULL)"
    )
    db.execute(
        """
        CREATE TABLE batches (
            sequence INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            owner TEXT NOT NULL,
            endpoint TEXT NOT NULL,
            input_file_id TEXT,
            metadata_json TEXT NOT NULL,
            status TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            expires_at INTEGER NOT NULL,
            in_progress_at INTEGER,
            finalizing_at INTEGER,
            completed_at INTEGER,
            failed_at INTEGER,
            expired_at INTEGER,
            cancelling_at INTEGER,
            cancelled_at INTEGER,
            output_file_id TEXT,
            error_file_id TEXT
        )
        """
    )
    db.execute("CREATE INDEX batches_running ON batches (status, sequence)")
    db.execute(
        """
        CREATE TABLE batch_requests (
            batch_id TEXT NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
            position INTEGER NOT NULL,
            custom_id TEXT NOT NULL,
            body_json BLOB NOT NULL,
            status INTEGER,
            response_json BLOB,
            PRIMARY KEY (batch_id, position),
            UNIQUE (batch_id, custom_id)
        )
        """
    )


@MIGRATIONS()
def create_responses(db: Tables) -> None:
    """Replies that are kept, and which of them has which item; a number is never used again."""
    db.execute(
        """
        CREATE TABLE responses (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            owner TEXT NOT NULL,
            id TEXT NOT NULL,
            status TEXT NOT NULL,
            previous_id TEXT,
            created_at INTEGER NOT NULL,
            bytes INTEGER NOT NULL,
            input_json BLOB NOT NULL,
            response_json BLOB NOT NULL,
            UNIQUE (owner, id)
        )
        """
    )
    db.execute("CREATE INDEX responses_by_age ON responses (created_at, bytes)")
    db.execute(
        """
        CREATE TABLE response_items (
            owner TEXT NOT NULL,
            item_id TEXT NOT NULL,
            response INTEGER NOT NULL REFERENCES responses (number) ON DELETE CASCADE,
            PRIMARY KEY (owner, item_id)
        ) WITHOUT ROWID
        """
    )
    db.execute("CREATE INDEX response_items_by_response ON response_items (response)")


@MIGRATIONS()
def create_response_runs(db: Tables) -> None:
    """Replies that are being made while nobody waits, and the events of those that stream.

    A run's lease ends at ``expires_at`` seconds since boot.
    """
    db.execute(
        """
        CREATE TABLE response_runs (
            response INTEGER PRIMARY KEY REFERENCES responses (number) ON DELETE CASCADE,
            holder TEXT NOT NULL,
            expires_at REAL NOT NULL
        )
        """
    )
    db.execute("CREATE INDEX response_runs_by_holder ON response_runs (holder)")
    db.execute(
        """
        CREATE TABLE response_events (
            response INTEGER NOT NULL REFERENCES responses (number) ON DELETE CASCADE,
            sequence INTEGER NOT NULL,
            data BLOB NOT NULL,
            PRIMARY KEY (response, sequence)
        ) WITHOUT ROWID
        """
    )


@MIGRATIONS()
def create_batch_submissions(db: Tables) -> None:
    """What providers have been given to run as batches of their own.

    A request with a ``submission`` is that one's; the others are run by the relay. Until now every
    batch had a day.
    """
    db.execute(
        """
        CREATE TABLE batch_submissions (
            sequence INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            batch_id TEXT NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
            provider TEXT NOT NULL,
            account TEXT NOT NULL DEFAULT '',
            model TEXT NOT NULL,
            state TEXT NOT NULL DEFAULT 'planned',
            native_id TEXT,
            size INTEGER NOT NULL DEFAULT 0,
            sent_at INTEGER,
            look_at INTEGER NOT NULL DEFAULT 0,
            looks INTEGER NOT NULL DEFAULT 0,
            is_called_off INTEGER NOT NULL DEFAULT 0
        )
        """
    )
    db.execute("CREATE INDEX batch_submissions_by_state ON batch_submissions (state, look_at)")
    db.execute("CREATE INDEX batch_submissions_by_batch ON batch_submissions (batch_id)")
    db.execute("ALTER TABLE batch_requests ADD COLUMN submission TEXT")
    db.execute("CREATE INDEX batch_requests_by_submission ON batch_requests (submission, position)")
    db.execute(
        "CREATE INDEX batch_requests_pending ON batch_requests (batch_id, position) "
        "WHERE status IS NULL AND submission IS NULL"
    )
    db.execute("ALTER TABLE batches ADD COLUMN completion_window TEXT NOT NULL DEFAULT '24h'")


@MIGRATIONS()
def pace_batches_by_model(db: Tables) -> None:
    """The model of each request, by which batches are paced, and counts without their bodies.

    Requests from before are paced together.
    """
    db.execute("ALTER TABLE batch_requests ADD COLUMN model TEXT NOT NULL DEFAULT ''")
    db.execute("DROP INDEX batch_requests_pending")
    db.execute(
        "CREATE INDEX batch_requests_pending ON batch_requests (batch_id, position, model) "
        "WHERE status IS NULL AND submission IS NULL"
    )
    db.execute("CREATE INDEX batch_requests_by_status ON batch_requests (batch_id, status)")


@MIGRATIONS()
def bench_by_model(db: Tables) -> None:
    """Benches of one model of an account; those from before are of all its models."""
    db.execute(
        "CREATE TABLE benches (provider TEXT NOT NULL, account TEXT NOT NULL, model TEXT NOT NULL, "
        "kind TEXT NOT NULL, until REAL NOT NULL, probe_at REAL NOT NULL, "
        "PRIMARY KEY (provider, account, model))"
    )
    columns = "provider, account, '', kind, until, probe_at"
    db.execute(f"INSERT INTO benches SELECT {columns} FROM account_benches")  # noqa: S608
    db.execute("DROP TABLE account_benches")
