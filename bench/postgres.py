"""Complete orders on PostgreSQL, against pgbench with the same statements in the same transactions."""
import os
import re
import resource
import statistics
import subprocess
import tempfile

from grow import grow_postgresql
from order_script import Script
from rig import HERE, SECONDS, USERS, OnPostgres, cluster_pid, cpu_s, flow, psql, show

CONNECTIONS = 16  # of the server's pool
PLANS = "-c plan_cache_mode=force_generic_plan -c jit=off -c max_parallel_workers_per_gather=0"  # as on those
ORDERS = 10_000  # that are there before, so that the planner knows of some

SESSIONS = ("INSERT INTO sessions (id, token_hash, user_id, created_at, used_at, expires_at) "
            "SELECT id, decode(md5(email), 'hex'), id, created_at, created_at, 9000000000000 FROM users")


def grown():
    server = OnPostgres()
    grow_postgresql(server.database, ORDERS)
    return server


def pgbench(script, url, file):
    """Orders a second, and µs of CPU an order of pgbench and the cluster."""
    own = resource.getrusage(resource.RUSAGE_CHILDREN)
    cluster = cpu_s(cluster_pid())
    defines = [word for name, value in script.values.items() for word in ("-D", f"{name}={value}")]
    done = subprocess.run(["pgbench", "-n", "-M", "prepared", "-c", str(CONNECTIONS), "-j", "2", "-T",
                           str(int(SECONDS)), "-f", file, *defines, url],
                          capture_output=True, text=True, check=False, env={**os.environ, "PGOPTIONS": PLANS})
    if done.returncode:
        raise SystemExit(f"pgbench: {done.stderr}")
    n = int(re.search(r"transactions actually processed: (\d+)", done.stdout)[1])
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    own_s = now.ru_utime + now.ru_stime - own.ru_utime - own.ru_stime
    return {"rate": float(re.search(r"tps = ([\d.]+)", done.stdout)[1]), "own": own_s / n * 1e6,
            "cluster": (cpu_s(cluster_pid()) - cluster) / n * 1e6}


def bench_postgres():
    script = Script(CONNECTIONS, USERS)
    print(f"Complete orders on PostgreSQL, {USERS} clients, against pgbench on {CONNECTIONS} connections "
          f"with the\n{script.statements} statements in {script.transactions} transactions that the server "
          "sends for one order")
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/order.sql"
        with open(file, "w", encoding="utf-8") as out:
            out.write(script.text)
        ratios = []
        for _ in range(3):
            with grown() as server:
                before = cpu_s(cluster_pid())
                ours = flow(server, f"{HERE}/flows/order.flow")
            show("Servery + PostgreSQL", ours, "orders")
            with grown() as server:
                psql(server.database, SESSIONS)
                yardstick = pgbench(script, server.database, file)
            print(f"  {'pgbench':<34} {yardstick['rate']:>9.0f} orders/s   "
                  f"{yardstick['own'] + yardstick['cluster']:>8.1f} µs CPU "
                  f"({yardstick['cluster']:.0f} of it PostgreSQL's)", flush=True)
            ratios.append(ours["rate"] / yardstick["rate"])
    print(f"  orders a second against pgbench: {100 * statistics.median(ratios):.0f}% (aim: at least 80%)",
          flush=True)
