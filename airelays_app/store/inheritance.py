"""What becomes of that which a credential has kept here when the credential ends."""

from contextlib import closing
from pathlib import Path

from airelays_app.store.database import Database

_TABLES = ("files", "conversations", "batches", "responses", "response_items")


def pass_on(path: Path, *, owner: str, heir: str) -> None:
    """Give the heir everything that the owner has in the database at ``path``, if there is one.

    Whoever gets the owner's name later on must not find it. Raises Unavailable.
    """
    if not path.exists():
        return
    with closing(Database(path)) as database, database.writing(durable=True) as connection:
        for table in _TABLES:
            # An item's id may be a client's own, so that the heir has the same one already.
            connection.execute(
                f"UPDATE OR IGNORE {table} SET owner = ? WHERE owner = ?",  # noqa: S608
                (heir, owner),
            )
