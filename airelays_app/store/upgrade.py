"""Bringing the tables up to date with this release."""

import sqlite3

from sqlite_utils import Database as Tables

from airelays_app.store import migrations


def upgrade(connection: sqlite3.Connection) -> None:
    """Take the steps that are left, all or none; safe when several processes start at once.

    The connection must be outside a transaction. Whoever is first holds the write lock for the
    whole of it; the others find nothing left to do.
    """
    tables = Tables(connection, recursive_triggers=False, execute_plugins=False)
    if not migrations.MIGRATIONS.pending(tables):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        migrations.MIGRATIONS.apply(tables)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
