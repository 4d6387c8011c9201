"""The same calls on shops with ten thousand, a hundred thousand and a million orders behind them."""
import json
import os
import subprocess
import sys
import time

from rig import BUILD, HERE, SERVERY, USERS, OnPostgres, flow, psql, servery

SIZES = (10_000, 100_000, 1_000_000)
FLOWS = (("menu", "read.flow"), ("order", "order.flow"), ("history", "history.flow"),
         ("board", "board.flow"))


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def measure(server, orders):
    """µs of CPU of each call, µs of wall time of each lookup."""
    row = {name: flow(server, f"{HERE}/flows/{file}", users=32)["cpu/flow"] * 1000
           for name, file in FLOWS}
    lookups = json.loads(run(f"{BUILD}/bench/lookups", server.database, str(max(USERS, orders // 10)),
                             "20000"))
    row.update({"login by email": lookups["email_us"], "login by phone": lookups["phone_us"]})
    return row


def on_sqlite():
    server = servery(admins=USERS)
    file = server.database.removeprefix("sqlite:")
    return server, ("plans.py", SERVERY, file), lambda: os.path.getsize(file)


def on_postgresql():
    server = OnPostgres(admins=USERS)
    return (server, ("plans_postgresql.py", SERVERY, server.database),
            lambda: int(psql(server.database, "SELECT pg_database_size(current_database())")))


def bench_sizes(make):
    rows = {}
    for orders in SIZES:
        begun = time.monotonic()
        server, (plans, *arguments), size = make()
        run(sys.executable, f"{HERE}/grow.py", server.database, str(orders))
        grown = time.monotonic()
        run(SERVERY, "check", "--database", server.database)
        checked = time.monotonic()
        run(sys.executable, f"{HERE}/../tests/store/{plans}", *arguments)
        print(f"  {orders:>9,} orders: {size() / 1e6:,.0f} MB, made in {grown - begun:.0f} s, "
              f"checked in {checked - grown:.1f} s, every plan an index search", flush=True)
        with server:
            rows[orders] = measure(server, orders)
    print(f"  {'µs':<18}" + "".join(f"{orders:>12,}" for orders in SIZES) + "   largest / smallest")
    for name in rows[SIZES[0]]:
        values = [rows[orders][name] for orders in SIZES]
        print(f"  {name:<18}" + "".join(f"{value:>12.1f}" for value in values)
              + f"   {values[-1] / values[0]:.2f}", flush=True)


def bench_growth():
    print("CPU a call, and the time to look a log-in up, as the shop grows")
    bench_sizes(on_sqlite)


def bench_growth_postgres():
    print("The same on PostgreSQL; its CPU is in that of the calls")
    bench_sizes(on_postgresql)
