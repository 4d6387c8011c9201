"""The yardstick of orders on PostgreSQL: a script for pgbench that runs what the server runs for one
order. It is made of what a server really sent, so it is the program's own statements in its own
transactions. One order is recorded in a database whose ids are far apart from each other; where they
come back as parameters, the script has variables. Everything else stays as it was sent.

Not in it: what is done once for many orders (the menu that is read again after a sale, the look for
what is due) and the listening for other servers' notifications."""
import os
import re

from rig import OnPostgres, psql
from streams import call, log_in

# Where the ids of a recording begin; all of them have seven digits.
BEGIN = {"users": 7100000, "sessions": 7200000, "payments": 7300000, "orders": 7400000,
         "order_events": 7500000, "foods": 7600000}
LOGGED = re.compile(r"^\S+ \S+ \S+ \[(\d+)\] (\w+) (?:LOG|DETAIL):  (?:execute \w+: |statement: )?(.*)$")
RETURNING = re.compile(r"INSERT INTO (payments|orders|order_events) .* RETURNING id$")


def log_lines(database):
    path = os.path.join(os.path.dirname(os.environ["SERVERY_TEST_POSTGRESQL_DIR"]), "log")
    with open(path, encoding="utf-8") as log:
        for line in log:
            found = LOGGED.match(line)
            if found and found[2] == database:
                yield int(found[1]), found[3]


def make_order(server, token, food, mark):
    """As flows/order.flow."""
    mark("cart")
    call(server, "POST", "/api/cart/items", token, {"food_id": food, "quantity": 1})
    mark("place")
    payment = call(server, "POST", "/api/orders", token, {"fulfilment": "pickup"})["payment"]["id"]
    mark("pay")
    call(server, "POST", f"/api/payments/{payment}/simulate", token, {"outcome": "paid"})
    mark("order")
    call(server, "POST", "/api/orders", token, {"payment_id": payment})
    mark("end")


def parameters(text):
    """`$1 = '7', $2 = NULL` as a list; None is NULL."""
    found = re.findall(r"\$\d+ = (NULL|'(?:[^']|'')*')", text)
    return [None if value == "NULL" else value[1:-1].replace("''", "'") for value in found]


def transactions(database, ids):
    """Those of the last order, in which these ids are: lists of [statement, parameters]."""
    done, running, last, recording = [], {}, {}, False
    for pid, text in log_lines(database):
        marked = re.fullmatch(r"SELECT 'mark (\w+)'", text)
        if marked and marked[1] in ("cart", "end"):
            recording = marked[1] == "cart"
            done = [] if recording else done
        if marked or not recording:
            continue
        if text.startswith("parameters: "):
            last[pid][1] = parameters(text)
            continue
        last[pid] = [text, []]
        if text.startswith("BEGIN"):
            running[pid] = [last[pid]]
        elif pid not in running:
            done.append([last[pid]])
        else:
            running[pid].append(last[pid])
            if text == "COMMIT":
                done.append(running.pop(pid))
    return [t for t in done if any(value in ids for _, values in t for value in values)]


def record():
    """The transactions of one order, and the variables for the ids in it."""
    food = BEGIN["foods"] + 7
    with OnPostgres(seeded=2, begin=BEGIN, settings={"log_statement": "all"}) as server:
        def mark(name):
            psql(server.database, f"SELECT 'mark {name}'")

        token = log_in(server, "u0")
        for _ in range(3):  # the first ones prepare what they need, and lay the way for the last one
            make_order(server, token, food, mark)
        ids = psql(server.database, "SELECT o.user_id || ' ' || s.id || ' ' || p.id || ' ' || o.id "
                   "FROM orders o JOIN payments p ON p.id = o.payment_id "
                   "JOIN sessions s ON s.user_id = o.user_id ORDER BY o.id DESC LIMIT 1").split()
        variables = dict(zip(ids, ("user", "session", "payments_id", "orders_id")))
        recorded = transactions(server.database.rpartition("/")[2], variables)
        return recorded, {**variables, str(food): "food"}


class Script:
    """As pgbench takes it: `text`, and in `values` what its variables are that never change."""

    def __init__(self, clients, users):
        self.values = {"first_user": 1, "users": users // clients}
        recorded, self.variables = record()
        self.text = ("\\set user :first_user + :client_id * :users + random(0, :users - 1)\n"
                     "\\set session :user\n\\set food random(1, 50)\n")
        for transaction in recorded:
            self.text += "".join(self.line(sql, values) for sql, values in transaction)
        self.statements = sum(len(transaction) for transaction in recorded)
        self.transactions = len(recorded)

    def line(self, sql, values):
        names = ["NULL" if value is None else ":" + self.name_of(value) for value in values]
        text = re.sub(r"\$(\d+)", lambda number: names[int(number[1]) - 1], sql)
        table = RETURNING.match(sql)
        return f"{text} \\gset {table[1]}_\n" if table else f"{text};\n"

    def name_of(self, value):
        if value in self.variables:
            return self.variables[value]
        for name, known in self.values.items():
            if known == value:
                return name
        name = f"v{len(self.values)}"
        self.values[name] = value
        return name
