"""Thousands of open event streams: what each costs, and how long an event takes to reach them all."""
import concurrent.futures
import json
import statistics
import subprocess
import time
import urllib.error
import urllib.request

from rig import BUILD, pss_kb, servery

STREAMS, STREAMS_PER_USER = 5000, 10
MOVES = ("confirmed", "preparing", "ready", "completed")


def call(server, method, path, token=None, body=None):
    """An API call's JSON; also of a 402, which is how placing answers."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}{path}", method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json",
                 **({"Authorization": f"Bearer {token}"} if token else {})})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        if error.code != 402:
            raise SystemExit(f"{method} {path}: {error.code} {error.read()}") from error
        return json.load(error)


def log_in(server, name):
    return call(server, "POST", "/api/login", None,
                {"identifier": f"{name}@x.com", "password": "pw123456"})["token"]


def make_order(server, token):
    call(server, "POST", "/api/cart/items", token, {"food_id": 1, "quantity": 1})
    payment = call(server, "POST", "/api/orders", token, {"fulfilment": "pickup"})["payment"]
    return call(server, "POST", f"/api/payments/{payment['id']}/simulate", token,
                {"outcome": "paid"})["order_id"]


def open_streams(server, tokens):
    path = f"{server.dir}/tokens"
    with open(path, "w", encoding="ascii") as file:
        file.write("\n".join(tokens) + "\n")
    driver = subprocess.Popen([f"{BUILD}/bench/streams", str(server.port),
                               "/api/admin/orders/events", str(STREAMS), path],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    if driver.stdout.readline() != "open\n":
        raise SystemExit("the streams did not open")
    return driver


def bench_streams():
    admins = STREAMS // STREAMS_PER_USER
    print(f"{STREAMS:,} admin streams ({admins} admins with {STREAMS_PER_USER} each): memory, and the "
          "time from the\nadmin's call that changes an order to the event's arrival at each")
    with servery(seeded=1, admins=admins) as server:
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            tokens = list(pool.map(lambda i: log_in(server, f"a{i}"), range(admins)))
        customer = log_in(server, "u0")
        # As it goes later, so that what is allocated once is not charged to the streams.
        order = make_order(server, customer)
        for status in MOVES:
            call(server, "PUT", f"/api/orders/{order}/status", tokens[0], {"status": status})
        order = make_order(server, customer)
        before_kb = pss_kb(server)
        driver = open_streams(server, tokens)
        medians, lasts = [], []
        for status in MOVES:
            begun = time.monotonic()
            driver.stdin.write("next\n")
            driver.stdin.flush()
            call(server, "PUT", f"/api/orders/{order}/status", tokens[0], {"status": status})
            times = json.loads(driver.stdout.readline())
            medians.append((times["median"] - begun) * 1000)
            lasts.append((times["last"] - begun) * 1000)
        after_kb = pss_kb(server)
        driver.kill()
        driver.wait()
    print(f"  memory a stream {(after_kb - before_kb) / STREAMS:.2f} KB PSS, events sent to all "
          "(aim: under 10 KB)")
    print(f"  an event reaches the median stream in {statistics.median(medians):.0f} ms, all in "
          f"{statistics.median(lasts):.0f} ms, at worst {max(lasts):.0f} ms (aim: 1 s)", flush=True)
