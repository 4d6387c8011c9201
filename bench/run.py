#!/usr/bin/env python3
"""Runs Servery and its yardsticks one after the other with the same load and prints ratios.

usage: run.py BUILD PART...       (PARTS below; all when none is named)"""
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import urllib.request

from growth import bench_growth, bench_growth_postgres
from page import bench_page
from postgres import bench_postgres
from rig import BUILD, HERE, SECONDS, USERS, Server, flow, pss_kb, servery, show
from storm import bench_storm
from streams import bench_streams
from users import bench_users


# ---- Start and memory ----

def bench_start():
    print("Start to the first answer, and memory when idle (an empty shop)")
    times, memory = [], []
    for _ in range(7):
        with servery(seeded=0) as server:
            times.append(server.start_ms)
            memory.append(pss_kb(server) / 1024)
    print(f"  start {statistics.median(times):.0f} ms (aim: under 100)   "
          f"memory {statistics.median(memory):.1f} MB PSS (aim: under 20)", flush=True)


# ---- Menu reads against nginx ----

NGINX = """daemon off; {user} worker_processes 1; pid {dir}/pid; error_log stderr;
events {{ worker_connections 1024; }}
http {{ access_log off; client_body_temp_path {dir}/b; proxy_temp_path {dir}/p;
fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
keepalive_requests 1000000000; default_type application/json; sendfile on; tcp_nodelay on;
server {{ listen 127.0.0.1:{port}; root {dir}; {headers} location = /api/foods {{ try_files /foods =404; }} }} }}
"""


def nginx(body, headers):
    server = Server("nginx", ["nginx", "-c", "{dir}/nginx.conf"])
    with open(f"{server.dir}/foods", "wb") as file:
        file.write(body)
    lines = "".join(f'add_header {name} "{value}"; ' for name, value in headers)
    with open(f"{server.dir}/nginx.conf", "w", encoding="utf-8") as file:
        user = "user root;" if os.geteuid() == 0 else ""
        file.write(NGINX.format(dir=server.dir, port=server.port, headers=lines, user=user))
    return server


def answer_of(server):
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/api/foods", timeout=5) as answer:
        own = {"connection", "content-length", "content-type", "date", "etag", "server"}
        return answer.read(), [h for h in answer.getheaders() if h[0].lower() not in own]


def bench_read():
    print("Menu reads, nginx serving the same bytes and headers as a file")
    ratios = []
    for _ in range(3):
        with servery() as server:
            body, headers = answer_of(server)
            ours = flow(server, f"{HERE}/flows/read.flow")
        show("Servery", ours, "reads")
        with nginx(body, headers) as server:
            theirs = flow(server, f"{HERE}/flows/read.flow")
        show("nginx", theirs, "reads")
        ratios.append(theirs["cpu/flow"] / ours["cpu/flow"])
    print(f"  {len(body)} bytes; reads per CPU second against nginx: "
          f"{100 * statistics.median(ratios):.0f}% (aim: at least 45%)", flush=True)


# ---- Orders against a raw loop ----

def raw_loop():
    folder = tempfile.mkdtemp(prefix="servery-bench-")
    try:
        subprocess.run([f"{BUILD}/bench/seed", f"sqlite:{folder}/raw.db", str(USERS)], check=True)
        text = subprocess.run([f"{BUILD}/bench/raw_loop", f"{folder}/raw.db", str(USERS),
                               str(SECONDS)], capture_output=True, text=True, check=True).stdout
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return json.loads(text)


def bench_order():
    print(f"Complete orders (cart, place, pay, order), {USERS} clients, against a raw C loop that "
          "runs\nthe same statements in the same number of transactions in groups of 64")
    ratios = []
    for _ in range(3):
        with servery() as server:
            ours = flow(server, f"{HERE}/flows/order.flow")
        show("Servery", ours, "orders")
        raw = raw_loop()
        print(f"  {'raw loop':<34} {raw['orders_per_s']:>9.0f} orders/s   "
              f"{raw['cpu_us_per_order']:>8.1f} µs CPU", flush=True)
        ratios.append(ours["rate"] / raw["orders_per_s"])
    print(f"  orders a second against the raw loop: {100 * statistics.median(ratios):.0f}% "
          "(aim: at least 35%)", flush=True)


# ---- The peers ----

def fastify():
    folder = f"{HERE}/peers/fastify"
    if not os.path.isdir(f"{folder}/node_modules"):
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=folder, check=True)
    server = Server("Fastify + SQLite", ["node", "server.js"], cwd=folder,
                    env={"PORT": "{port}", "DATABASE_URL": "{dir}/food.db", "WORKERS": "2"})
    subprocess.run(["node", "init_db.js"], cwd=folder, check=True,
                   env=dict(server.env, USERS=str(USERS)))
    return server


def flask():
    folder = f"{HERE}/peers/flask"
    server = Server("Flask + gunicorn + SQLite",
                    ["/usr/bin/python3", "-m", "gunicorn", "-c", "gunicorn.conf.py", "-b",
                     "127.0.0.1:{port}", "app:app"], cwd=folder,
                    env={"DATABASE_URL": "{dir}/food.db"})
    subprocess.run(["/usr/bin/python3", "init_db.py"], cwd=folder, check=True,
                   stdout=subprocess.DEVNULL,
                   env=dict(server.env, USERS=str(USERS)))
    return server


def bench_peers():
    clients = 32
    print(f"The peers of bench/peers, {clients} clients; an order is three cart adds and two calls "
          "more: pay and\norder there, place and pay here, where the order comes with the money")
    rows = {}
    for make, flows in ((servery, "flows/read.flow flows/order-peers.flow"),
                        (fastify, "peers/driver/app-read.flow peers/driver/app-order.flow"),
                        (flask, "peers/driver/app-read.flow peers/driver/app-order.flow")):
        read, order = flows.split()
        with make() as server:
            rows[server.name] = (flow(server, f"{HERE}/{read}", clients),
                                 flow(server, f"{HERE}/{order}", clients))
            show(f"{server.name}, menu", rows[server.name][0], "reads")
            show(f"{server.name}, order", rows[server.name][1], "orders")
    ours = rows.pop("Servery + SQLite")
    best_reads = max(row[0]["rate"] for row in rows.values())
    best = max(rows.values(), key=lambda row: row[1]["rate"])[1]
    least_cpu = min(row[1]["cpu/flow"] for row in rows.values())
    print(f"  reads: {ours[0]['rate'] / best_reads:.1f} times the better one (aim: 3)\n"
          f"  orders a second: {ours[1]['rate'] / best['rate']:.1f} times the better one (aim: 4)\n"
          f"  CPU an order: {ours[1]['cpu/flow'] / least_cpu:.2f} of the better one "
          "(aim: at most 0.45)", flush=True)


PARTS = {"start": bench_start, "read": bench_read, "order": bench_order, "peers": bench_peers,
         "streams": bench_streams, "storm": bench_storm, "growth": bench_growth, "postgres": bench_postgres,
         "growth-postgres": bench_growth_postgres, "users": bench_users, "page": bench_page}

for part in sys.argv[2:] or PARTS:
    PARTS[part]()
