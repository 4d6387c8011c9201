#!/usr/bin/env python3
"""Explains every statement of the program on the real schema in SQLite (plans_postgresql.py does it in
PostgreSQL): what would walk through a table that
grows with the shop fails, as does a sort of it.

    plans.py SERVERY [FILE]     prints what is wrong as TAP, one test for each statement; on the
                                database in FILE, or else on an empty one, with and without the
                                statistics of a large shop"""

import re
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

from statements import OPEN_WORK, SMALL_TABLES, report, statements

SMALL = SMALL_TABLES | {"sqlite_schema", "sqlite_sequence"}
# What asks for these has an index of them, and does not look for them by walking down the ids.
INDEXED = re.compile(r"needs_attention IS NOT NULL|refund_due = 1")
# What walks through a table on purpose: a part of the statement, and why. With a step, that one alone.
ON_PURPOSE = {
    ("FROM users s WHERE s.search_key LIKE", "SCAN s"):
        "an admin searches by any part of a name, an email or a phone: the users are read through",
    ("FROM users s CROSS JOIN", "SCAN s"):
        "the same, to count what the orders or payments of those found come to, up to a limit",
    ("FROM users s CROSS JOIN orders q", "USE TEMP B-TREE FOR ORDER BY"):
        "sorts what was counted before and is little",
    "SELECT id FROM orders UNION ALL": "stops at the first row",
    "SELECT COUNT(*) AS n_rows FROM": "servery copy: counts what it is going to read through",
    "COUNT(*), COALESCE(MAX(id), 0)": "servery check: counts at its end what it has read",
    "status IN ('pending', 'confirmed') ORDER BY id": "servery check: sorts the open orders of a slice",
    "ORDER BY p.expires_at LIMIT": "sorts the payments that are open at a provider no longer used",
}


def scanned_table(sql, name):
    """What `name` in a plan stands for: itself, or the table it is the alias of."""
    alias = re.search(r"\b(?:FROM|JOIN|INTO|UPDATE)\s+(\w+)\s+(?:AS\s+)?" + name + r"\b", sql)
    return alias[1] if alias else name


def faults(sql, plan):
    """The steps of a plan that become slower as the shop grows."""
    for step in plan:
        if step == "USE TEMP B-TREE FOR ORDER BY":
            yield step
        if INDEXED.search(sql) and re.search(r"PRIMARY KEY \(rowid<\?\)$", step):
            yield step
        scan = re.match(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?$", step)
        if scan and scan[1] != "CONSTANT":
            table = scanned_table(sql, scan[1])
            derived = re.search(r"\)\s*(?:AS\s+)?" + scan[1] + r"\b|\bWITH\b.*\b" + table + r"\b.*\bAS",
                                sql, re.DOTALL)
            if table not in SMALL and scan[2] not in OPEN_WORK and not derived:
                yield step


def add_statistics(database):
    """As ANALYZE leaves them in a shop with a million orders in which nothing is open: of an index
    without a row it keeps nothing."""
    database.execute("ANALYZE")
    database.execute("DELETE FROM sqlite_stat1")
    indexes = database.execute("SELECT tbl_name, name, sql FROM sqlite_schema WHERE type = 'index'")
    for table, name, sql in indexes.fetchall():
        if table in SMALL or name in OPEN_WORK:
            continue
        columns = [row[2] for row in database.execute(f"PRAGMA index_info({name})")]
        alike = [100_000 if column == "status" else 10 for column in columns[:-1]]
        unique = not sql or "UNIQUE" in sql or columns[-1] in (None, "id")
        numbers = [1_000_000, *alike, 1 if unique else 10]
        database.execute("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)",
                         (table, name, " ".join(map(str, numbers))))
    database.commit()
    database.execute("ANALYZE sqlite_schema")


def explain(database, sql):
    arguments = {number: None for number in re.findall(r"\$(\d+)", sql)}
    return [row[3] for row in database.execute("EXPLAIN QUERY PLAN " + sql, arguments)]


def find_wrong(database, sql):
    try:
        return set(faults(sql, explain(database, sql)))
    except sqlite3.Error as error:
        return {str(error)}


def main():
    program = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        path = sys.argv[2] if len(sys.argv) > 2 else f"{folder}/plans.db"
        subprocess.run([program, "migrate", "--database", f"sqlite:{path}"], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        database = sqlite3.connect(path)
        texts = statements(program, "sqlite")
        wrongs = [find_wrong(database, sql) for sql in texts]
        if len(sys.argv) <= 2:
            add_statistics(database)
            for wrong, sql in zip(wrongs, texts):
                wrong.update(find_wrong(database, sql))
        database.close()
    report(texts, wrongs, ON_PURPOSE)


if __name__ == "__main__":
    main()
