"""The same calls on shops with ten thousand, a hundred thousand and a million orders behind them."""
import json
import os
import subprocess
import sys
import time

from rig import BUILD, HERE, SERVERY, USERS, flow, servery

SIZES = (10_000, 100_000, 1_000_000)
FLOWS = (("menu", "read.flow"), ("order", "order.flow"), ("history", "history.flow"),
         ("board", "board.flow"))


def file_of(server):
    return f"{server.dir}/servery.db"


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def measure(server, orders):
    """µs of CPU of each call, µs of wall time of each lookup."""
    with server:
        row = {name: flow(server, f"{HERE}/flows/{file}", users=32)["cpu/flow"] * 1000
               for name, file in FLOWS}
        lookups = json.loads(run(f"{BUILD}/bench/lookups", f"sqlite:{file_of(server)}",
                                 str(max(USERS, orders // 10)), "20000"))
    row.update({"login by email": lookups["email_us"], "login by phone": lookups["phone_us"]})
    return row


def bench_growth():
    print("CPU a call, and the time to look a log-in up, as the shop grows")
    rows = {}
    for orders in SIZES:
        begun = time.monotonic()
        server = servery(admins=USERS)
        run(sys.executable, f"{HERE}/grow.py", file_of(server), str(orders))
        grown = time.monotonic()
        run(SERVERY, "check", "--database", f"sqlite:{file_of(server)}")
        checked = time.monotonic()
        run(sys.executable, f"{HERE}/../tests/store/plans.py", SERVERY, file_of(server))
        print(f"  {orders:>9,} orders: {os.path.getsize(file_of(server)) / 1e6:,.0f} MB, made in "
              f"{grown - begun:.0f} s, checked in {checked - grown:.1f} s, every plan an index search",
              flush=True)
        rows[orders] = measure(server, orders)
    print(f"  {'µs':<18}" + "".join(f"{orders:>12,}" for orders in SIZES) + "   largest / smallest")
    for name in rows[SIZES[0]]:
        values = [rows[orders][name] for orders in SIZES]
        print(f"  {name:<18}" + "".join(f"{value:>12.1f}" for value in values)
              + f"   {values[-1] / values[0]:.2f}", flush=True)
