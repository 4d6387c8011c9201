#!/usr/bin/env python3
"""Explains every statement of the program on the real schema: what would walk through a table that
grows with the shop fails, as does a sort of it. A statement is a named array of the program, so all
of them stand in its binary, macros expanded.

    plans.py SERVERY [FILE]     prints what is wrong as TAP, one test for each statement; on the
                                database in FILE, or else on an empty one, with and without the
                                statistics of a large shop"""

import re
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

VERBS = rb"(?:SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH)"
STATEMENT = re.compile(rb"(?<=\0)(" + VERBS + rb" [^\0]+)\0")

# These do not grow with the orders: a shop has some hundred dishes, and one row of settings.
SMALL_TABLES = {"shop", "foods", "schema_migrations", "sqlite_schema", "sqlite_sequence"}
# Partial indexes on what is open now. Walking through one is as much work as there is to do.
OPEN_WORK = {"foods_menu", "foods_image", "outbox_waiting", "payments_attention", "payments_calls",
             "payments_expires", "payments_open", "payments_refund", "users_admin"}
# What asks for these has an index of them, and does not look for them by walking down the ids.
INDEXED = re.compile(r"needs_attention IS NOT NULL|refund_due = 1")
# What walks through a table on purpose: a part of the statement, and why. With a step, that one alone.
ON_PURPOSE = {
    ("FROM users s WHERE s.search_key LIKE", "SCAN s"):
        "an admin searches by any part of a name, an email or a phone: the users are read through",
    ("FROM users s CROSS JOIN", "SCAN s"):
        "the same, to count what the orders or payments of those found come to, up to a limit",
    ("SELECT s.id FROM users s WHERE", "USE TEMP B-TREE FOR ORDER BY"):
        "sorts what was counted before and is little",
    "SELECT id FROM orders UNION ALL": "stops at the first row",
    "COUNT(*), COALESCE(MAX(id), 0)": "servery check: counts at its end what it has read",
    "SELECT COUNT(*) AS n_rows FROM": "servery copy: counts what it is going to read through",
    "status IN ('pending', 'confirmed') ORDER BY id": "servery check: sorts the open orders of a slice",
    "ORDER BY p.expires_at LIMIT": "sorts the payments that are open at a provider no longer used",
}


# What an engine says on its own account: on the other one it is no SQL.
OF_POSTGRESQL = re.compile(r"\bpg_\w+|set_config|%s")


def statements(program):
    texts = {found.decode() for found in STATEMENT.findall(program.read_bytes())}
    return sorted(text for text in texts if not OF_POSTGRESQL.search(text))


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
            if table not in SMALL_TABLES and scan[2] not in OPEN_WORK and not derived:
                yield step


def excuses(sql, wrong):
    """Those of ON_PURPOSE that fit a step of what is wrong."""
    return {key for key in ON_PURPOSE for step in wrong
            if (key in sql if isinstance(key, str) else key[0] in sql and key[1] == step)}


def excused(step, keys):
    return any(isinstance(key, str) or key[1] == step for key in keys)


def add_statistics(database):
    """As ANALYZE leaves them in a shop with a million orders in which nothing is open: of an index
    without a row it keeps nothing."""
    database.execute("ANALYZE")
    database.execute("DELETE FROM sqlite_stat1")
    indexes = database.execute("SELECT tbl_name, name, sql FROM sqlite_schema WHERE type = 'index'")
    for table, name, sql in indexes.fetchall():
        if table in SMALL_TABLES or name in OPEN_WORK:
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
        texts = statements(program)
        wrongs = [find_wrong(database, sql) for sql in texts]
        if len(sys.argv) <= 2:
            add_statistics(database)
            for wrong, sql in zip(wrongs, texts):
                wrong.update(find_wrong(database, sql))
        failed, purposes = 0, set()
        for number, (sql, wrong) in enumerate(zip(texts, wrongs), 1):
            on_purpose = excuses(sql, wrong)
            purposes |= on_purpose
            wrong = {step for step in wrong if not excused(step, on_purpose)}
            failed += bool(wrong)
            name = re.sub(r"\s+", " ", sql)[:70].replace("#", "")
            print(f"{'not ok' if wrong else 'ok'} {number} {name}")
            for words in sorted(wrong):
                print(f"# {words}: {sql}")
        for part in ON_PURPOSE.keys() - purposes:
            failed += 1
            print(f"# no statement needs this exception any more: {part}")
        print(f"1..{len(texts)}")
        database.close()
    # A binary in which so few are found is read wrongly.
    sys.exit(1 if failed or len(texts) < 100 else 0)


if __name__ == "__main__":
    main()
