"""Ten thousand customers, each logged in and with the stream of an order of his open, over three servers on
one PostgreSQL with a million orders; beside them some order, and admins move the orders that are watched.

Open loops: each kind of call begins at its own rate, and a latency counts from the moment it was due."""
import asyncio
import contextlib
import json
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import time

from rig import BUILD, HERE, Server, psql, pss_kb, seed, serve

ORDERS, USERS, ADMINS, SERVERS = 1_000_000, 10_000, 16, 3
SECONDS = float(os.environ.get("BENCH_USERS_SECONDS", "30"))
# A second, all servers together: full orders, moves of orders by admins, looks at an order, at oneself.
RATES = {"order": 10, "move": 40, "track": 100, "me": 100, "login": 1}
NEXT = {"pending": "confirmed", "confirmed": "preparing", "preparing": "ready", "ready": "completed"}

# Orders of grow.py that are over become orders that the kitchen has not begun: one of each user.
FIRST = ORDERS - USERS + 1
REOPEN_SQL = (
    f"UPDATE orders SET status = 'pending', updated_at = created_at WHERE id BETWEEN {FIRST} AND {ORDERS}",
    f"DELETE FROM order_events WHERE order_id BETWEEN {FIRST} AND {ORDERS} AND to_status <> 'pending'")
WATCHED_SQL = f"SELECT id || ' ' || user_id FROM orders WHERE id BETWEEN {FIRST} AND {ORDERS} ORDER BY id"


def log_in(database, key, user_ids):
    done = subprocess.run([f"{BUILD}/bench/sessions", database, key], text=True, check=True,
                          input="\n".join(map(str, user_ids)), stdout=subprocess.PIPE)
    return done.stdout.split()


class Api:
    """Calls to one server, on as many kept connections as are needed at a time."""

    def __init__(self, port):
        self.port, self.idle = port, []

    async def call(self, method, path, token=None, body=None):
        reader, writer = self.idle.pop() if self.idle else \
            await asyncio.open_connection("127.0.0.1", self.port)
        data = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        head += f"Authorization: Bearer {token}\r\n" if token else ""
        if body is not None:
            head += f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n"
        writer.write(head.encode() + b"\r\n" + data)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", answer, re.I)
        content = await reader.readexactly(int(length[1])) if length else b""
        self.idle.append((reader, writer))
        return int(answer[9:12]), content


class Stream(asyncio.Protocol):
    """The stream of one order; tells `on_event` of each event."""

    def __init__(self, path, token, on_event):
        self.request = (f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
                        "Accept: text/event-stream\r\n\r\n").encode()
        self.on_event, self.tail = on_event, b""
        self.opened, self.is_lost = asyncio.get_running_loop().create_future(), False

    def connection_made(self, transport):
        self.transport = transport
        transport.write(self.request)

    def data_received(self, data):
        text = self.tail + data
        if not self.opened.done():
            self.opened.set_result(text.startswith(b"HTTP/1.1 200"))
        while b"event: status\n" in text:
            text = text.split(b"event: status\n", 1)[1]
            self.on_event()
        self.tail = text[-13:]

    def connection_lost(self, _error):
        self.is_lost = True
        if not self.opened.done():
            self.opened.set_result(False)


class Run:
    def __init__(self, database, servers, watched, tokens, admins):
        self.database = database
        self.apis = [Api(server.port) for server in servers]
        self.watched = watched          # [(order, user)]
        self.tokens, self.admins = tokens, admins
        self.status = {order: "pending" for order, _ in watched}
        self.moving = {}                # order: when the admin's call began
        self.ordering = set()
        self.times = {}                 # kind: [ms]
        self.streams = []
        self.refused = 0

    def note(self, kind, begun):
        self.times.setdefault(kind, []).append((time.monotonic() - begun) * 1000)

    def api(self):
        return random.choice(self.apis)

    async def expect(self, status, *call, api=None):
        got, content = await (api or self.api()).call(*call)
        if got != status:
            self.refused += 1
            raise LookupError(f"{call[0]} {call[1]}: {got} {content[:200]}")
        return json.loads(content) if content else None

    async def open_streams(self):
        loop = asyncio.get_running_loop()

        def watch(order):
            def on_event():
                begun = self.moving.pop(order, None)
                if begun:
                    self.note("an event at its customer", begun)
            return on_event

        async def one(i):
            order = self.watched[i][0]
            _, stream = await loop.create_connection(
                lambda: Stream(f"/api/orders/{order}/events", self.tokens[i], watch(order)),
                "127.0.0.1", self.apis[i % SERVERS].port)
            self.streams.append(stream)
            if not await stream.opened:
                raise SystemExit(f"the stream of order {order} did not open")
        for first in range(0, USERS, 200):
            await asyncio.gather(*map(one, range(first, min(first + 200, USERS))))

    async def move(self, due):
        order = random.choice([o for o in random.sample(list(self.status), 8)
                               if self.status[o] in NEXT and o not in self.moving])
        to, self.moving[order] = NEXT[self.status[order]], due
        await self.expect(200, "PUT", f"/api/orders/{order}/status", random.choice(self.admins),
                          {"status": to})
        self.status[order] = to
        self.note("an admin moves an order", due)

    async def order(self, due):
        i = random.choice([i for i in random.sample(range(USERS), 8) if i not in self.ordering])
        self.ordering.add(i)
        token = self.tokens[i]
        await self.expect(200, "POST", "/api/cart/items", token,
                          {"food_id": random.randint(1, 50), "quantity": 1})
        placed = await self.expect(402, "POST", "/api/orders", token, {"fulfilment": "pickup"})
        payment = placed["payment"]["id"]
        await self.expect(200, "POST", f"/api/payments/{payment}/simulate", token, {"outcome": "paid"})
        await self.expect(200, "POST", "/api/orders", token, {"payment_id": payment})
        self.ordering.discard(i)
        self.note("a complete order (4 calls)", due)

    async def track(self, due):
        i = random.randrange(USERS)
        await self.expect(200, "GET", f"/api/orders/{self.watched[i][0]}", self.tokens[i])
        self.note("a look at an order", due)

    async def me(self, due):
        await self.expect(200, "GET", "/api/me", random.choice(self.tokens))
        self.note("who am I (session and user looked up)", due)

    async def login(self, due):
        await self.expect(200, "POST", "/api/login", None,
                          {"identifier": f"u{random.randrange(64)}@x.com", "password": "pw123456"})
        self.note("a log-in, its hash included", due)

    async def at_rate(self, kind, rate):
        begin, calls = time.monotonic() + random.random() / rate, []
        for i in range(int(rate * SECONDS)):
            due = begin + i / rate
            await asyncio.sleep(max(0, due - time.monotonic()))
            calls.append(asyncio.create_task(getattr(self, kind)(due)))
        return await asyncio.gather(*calls, return_exceptions=True)

    async def run(self):
        await self.open_streams()
        lookups = await asyncio.create_subprocess_exec(
            f"{BUILD}/bench/lookups", self.database, str(ORDERS // 10), "2000",
            stdout=subprocess.PIPE)
        results = await asyncio.gather(*(self.at_rate(*rate) for rate in RATES.items()))
        self.lookups = json.loads((await lookups.communicate())[0])
        for _ in range(100):            # the last events
            if not self.moving:
                break
            await asyncio.sleep(0.1)
        for error in [e for result in results for e in result if isinstance(e, Exception)][:3]:
            print(f"  failed: {error!r}")


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def show(run, memory):
    print(f"  who is it that logs in, without the hash     2,000 times   p50 "
          f"{run.lookups['p50_us'] / 1000:7.1f} ms   p99 {run.lookups['p99_us'] / 1000:7.1f} ms")
    for kind, times in sorted(run.times.items()):
        print(f"  {kind:<40} {len(times):>6,} times   p50 {percentile(times, 0.5):7.1f} ms   "
              f"p99 {percentile(times, 0.99):7.1f} ms", flush=True)
    print(f"  refused: {run.refused}; events that did not come: {len(run.moving)}; "
          f"streams that ended: {sum(stream.is_lost for stream in run.streams)}; memory of the servers: "
          + ", ".join(f"{mb:.0f} MB" for mb in memory), flush=True)


@contextlib.contextmanager
def grown_database():
    cluster = os.environ["SERVERY_TEST_POSTGRESQL"]
    name = f"bench_users_{os.getpid()}"
    database = re.sub(r"/[^/]*$", f"/{name}", cluster)
    psql(cluster, f"CREATE DATABASE {name}")
    try:
        seed(database, 64, ADMINS)
        subprocess.run([sys.executable, f"{HERE}/grow.py", database, str(ORDERS)], check=True)
        psql(database, *REOPEN_SQL)
        yield database
    finally:
        psql(cluster, f"DROP DATABASE {name} WITH (FORCE)")


def bench_users():
    print(f"{USERS:,} customers logged in, each with the stream of an order open, over {SERVERS} servers on "
          f"one PostgreSQL\nwith {ORDERS:,} orders; {SECONDS:.0f} s of "
          + ", ".join(f"{rate} {kind}" for kind, rate in RATES.items()) + " a second")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 65536)), hard))
    with grown_database() as database, tempfile.TemporaryDirectory(prefix="servery-bench-") as folder:
        watched = [tuple(map(int, line.split())) for line in psql(database, WATCHED_SQL).split("\n")]
        admin_ids = psql(database, "SELECT id FROM users WHERE role = 'admin'").split()
        key = f"{folder}/key"
        tokens = log_in(database, key, [user for _, user in watched])
        admins = log_in(database, key, admin_ids)
        command = [*serve(database), "--database-connections", "8"]
        command[command.index("{dir}/key")] = key
        servers = [Server(f"server {i}", command).start() for i in range(SERVERS)]
        try:
            run = Run(database, servers, watched, tokens, admins)
            asyncio.run(run.run())
            memory = [pss_kb(server) / 1024 for server in servers]
        finally:
            for server in servers:
                server.__exit__()
    show(run, memory)
