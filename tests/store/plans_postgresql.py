#!/usr/bin/env python3
"""Prepares and explains every statement of the program on the real schema in PostgreSQL: each must be
valid, take and give only the types that the program knows, and walk through no table that grows with
the shop, nor sort one. plans.py does the same in SQLite.

    plans_postgresql.py SERVERY [URL]   prints what is wrong as TAP, one test for each statement; on the
                                        database of that URL, which is a large shop's, or else on one of
                                        its own in the cluster that SERVERY_TEST_POSTGRESQL names"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from statements import OPEN_WORK, SMALL_TABLES, report, statements

ORDERS = 200_000
# What the program sends and understands; an `integer` may come out, and never goes in.
TYPES_IN = {"bigint", "text", "bytea", "name"}  # a name is stated as text
TYPES_OUT = {"bigint", "text", "bytea", "integer", "smallint", "boolean", "character varying", "void"}
# To read so many pages by one end of an index is no page and no slice; nor is to sort such a share of the
# largest table: of a slice between two values that it does not know, a planner expects a 200th.
COST_MAX = 3000
SORTED_SHARE = 150
# In a shop as it is, a table with fewer rows may be read through, beside a slice of as many orders.
ROWS_MIN = 20_000
AS_THE_ENGINE = "SET plan_cache_mode = force_generic_plan;\nSET max_parallel_workers_per_gather = 0;\n"
ON_PURPOSE = {
    ("FROM users s WHERE s.search_key LIKE", "Seq Scan on users"):
        "an admin searches by any part of a name, an email or a phone: the users are read through",
    ("FROM users s CROSS JOIN", "Seq Scan on users"):
        "the same, for the orders or payments of those found",
    "SELECT id FROM orders UNION ALL": "stops at the first row",
    "SELECT COUNT(*) AS n_rows FROM": "servery copy: counts what it is going to read through",
    "COUNT(*), COALESCE(MAX(id), 0)": "servery check: counts at its end what it has read",
    "DELETE FROM sessions": "ends all sessions, where a database is put back",
}
ONE_END = re.compile(r"\(\w+ (?:<|>|<=|>=) \S+\)")
# What hands on rows as it gets them: a limit above stops what is below.
STREAMING = {"Limit", "Nested Loop", "Result", "Subquery Scan", "Unique", "Gather Merge", "LockRows"}


def psql(url, script, *options):
    done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-F", "|", "-d", url, *options, "-f", "-"],
                          input=script, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"psql: {done.stderr}")
    return done.stdout


def ask_each(url, before, pairs):
    """What psql prints for a statement and what follows it, or else that it is in error, and why."""
    text = before + "".join(f"\\echo @@@\n{first}\n\\if :ERROR\n\\echo 'error:' :LAST_ERROR_MESSAGE\n"
                            f"\\else\n{then}\n\\endif\nDEALLOCATE ALL;\n" for first, then in pairs)
    return [part.strip("\n") for part in psql(url, text).split("@@@\n")[1:]]


def check_types(url, texts):
    """The types of each statement's parameters, and what is wrong with it."""
    scripts = [(f"PREPARE s AS {sql};",
                "SELECT 'in|' || array_to_string(CAST(parameter_types AS TEXT[]), ',') "
                f"FROM pg_prepared_statements;\n{sql} \\gdesc") for sql in texts]
    types, wrongs = [], []
    for said in ask_each(url, "", scripts):
        lines = [line.split("|") for line in said.splitlines()]
        ins = [name for line in lines if line[0] == "in" for name in line[1].split(",") if name]
        outs = [line[1] for line in lines if line[0] != "in" and len(line) == 2]
        types.append(ins)
        wrongs.append({line[0] for line in lines if line[0].startswith("error:")}
                      | {f"takes {name}" for name in ins if name not in TYPES_IN}
                      | {f"gives {name}" for name in outs if name not in TYPES_OUT})
    return types, wrongs


def faults(node, sizes, table=None, limited=False):
    """The steps of a plan that become slower as the shop grows. `sizes`: rows of the tables that do."""
    kind = node["Node Type"]
    table = node.get("Relation Name", table)
    grows = table in sizes
    condition = node.get("Index Cond")
    if kind == "Seq Scan" and grows:
        yield f"Seq Scan on {table}"
    if "Index Name" in node and grows:
        if not condition and node["Index Name"] not in OPEN_WORK:
            yield f"{kind} of all of {node['Index Name']}"
        if condition and ONE_END.fullmatch(condition) and not limited and node["Total Cost"] > COST_MAX:
            yield f"{kind} of one end of {node['Index Name']}"
    if kind == "Sort" and node["Plan Rows"] > max(sizes.values()) / SORTED_SHARE:
        yield f"Sort of {node['Plan Rows']} rows"
    limited = kind == "Limit" or limited and kind in STREAMING
    for child in node.get("Plans", []):
        yield from faults(child, sizes, table, limited)


def read_sizes(url, rows_min):
    lines = psql(url, "SELECT relname, CAST(reltuples AS BIGINT) FROM pg_class "
                 "WHERE relkind = 'r' AND relnamespace = CAST('public' AS regnamespace);\n").split()
    sizes = {name: int(rows) for name, rows in (line.split("|") for line in lines)}
    return {name: rows for name, rows in sizes.items() if name not in SMALL_TABLES and rows >= rows_min}


def check_plans(url, texts, types, wrongs, rows_min):
    """Adds to `wrongs`, which hold what cannot be planned at all."""
    sizes = read_sizes(url, rows_min)
    scripts = []
    for sql, ins in zip(texts, types):
        values = f"({', '.join(['NULL'] * len(ins))})" if ins else ""
        typed = f"({', '.join(ins)})" if ins else ""
        scripts.append((f"PREPARE s {typed} AS {sql};", f"EXPLAIN (FORMAT JSON) EXECUTE s{values};"))
    for said, wrong in zip(ask_each(url, AS_THE_ENGINE, scripts), wrongs):
        if said.startswith("["):
            wrong.update(faults(json.loads(said)[0]["Plan"], sizes))
        else:
            wrong.add(said)


def check(program, url, fill):
    texts = statements(program, "postgresql")
    types, wrongs = check_types(url, texts)
    if fill:
        psql(url, (Path(__file__).parent / "many_orders.sql").read_text(encoding="utf-8"), "-v",
             f"n={ORDERS}", "-v", "ON_ERROR_STOP=1")
    check_plans(url, texts, types, wrongs, 0 if fill else ROWS_MIN)
    return texts, wrongs


def main():
    program = Path(sys.argv[1])
    if len(sys.argv) > 2:
        report(*check(program, sys.argv[2], fill=False), ON_PURPOSE, all_needed=False)
    else:
        cluster = os.environ.get("SERVERY_TEST_POSTGRESQL")
        if not cluster:
            print("1..0 # SKIP no cluster: SERVERY_TEST_POSTGRESQL is not set")
            return
        name = f"servery_plans_{os.getpid()}"
        url = re.sub(r"/[^/]*$", f"/{name}", cluster)
        psql(cluster, f"CREATE DATABASE {name};\n", "-v", "ON_ERROR_STOP=1")
        try:
            migrate(program, url)
            texts, wrongs = check(program, url, fill=True)
        finally:
            psql(cluster, f"DROP DATABASE {name} WITH (FORCE);\n")
        report(texts, wrongs, ON_PURPOSE)


def migrate(program, url):
    subprocess.run([program, "migrate", "--database", url], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
