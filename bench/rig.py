"""What every part of the benchmark needs: servers as processes, and the load driver."""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(sys.argv[1])
SERVERY = f"{BUILD}/src/app/servery"
SECONDS = float(os.environ.get("BENCH_SECONDS", "6"))
USERS = 64


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(url, timeout=20):
    start = time.monotonic()
    while time.monotonic() - start < timeout:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.read()
        except OSError:
            time.sleep(0.005)
    raise SystemExit(f"no answer from {url}")


class Server:
    """A server process with its port and a folder for its data."""

    def __init__(self, name, command, env=None, cwd=None, probe="/api/foods", port=None):
        self.name, self.port = name, port or free_port()
        self.dir = tempfile.mkdtemp(prefix="servery-bench-")
        self.log = open(f"{self.dir}/log", "wb")
        self.command = [part.format(port=self.port, dir=self.dir) for part in command]
        full = dict(os.environ)
        full.update({k: v.format(port=self.port, dir=self.dir) for k, v in (env or {}).items()})
        self.env, self.cwd, self.probe = full, cwd, probe

    def start(self):
        begun = time.monotonic()
        self.process = subprocess.Popen(self.command, env=self.env, cwd=self.cwd, stdout=self.log,
                                        stderr=self.log, start_new_session=True)
        wait_for(f"http://127.0.0.1:{self.port}{self.probe}")
        self.start_ms = (time.monotonic() - begun) * 1000
        return self

    def pids(self):
        return [self.process.pid]

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
        shutil.rmtree(self.dir, ignore_errors=True)


def flow(server, path, users=USERS, seconds=SECONDS, values=None):
    """Runs the load driver; gives its figures as a dictionary. `values`: a file of lines, of which
    the flow takes one at random as {{vr}}. The CPU is that of server.pids() and all below them."""
    more = ["-L", values] if values else []
    text = subprocess.run([f"{BUILD}/bench/flow", "-p", str(server.port), "-c", str(users), "-d",
                           str(seconds), "-w", "1.5", "-P", ",".join(map(str, server.pids())), *more, path],
                          capture_output=True, text=True, check=True).stdout
    found = dict(re.findall(r"(\S+?)=([\d.]+)", text))
    figures = {key: float(value) for key, value in found.items()}
    if figures.get("err", 0) > 0 or figures.get("ok", 0) == 0:
        raise SystemExit(f"{server.name}: {text}")
    return figures


def show(name, figures, unit):
    print(f"  {name:<34} {figures['rate']:>9.0f} {unit}/s   {figures['cpu/flow'] * 1000:>8.1f} "
          f"µs CPU   p50 {figures['p50']:.2f} ms   p99 {figures['p99']:.2f} ms", flush=True)


def pss_kb(server):
    with open(f"/proc/{server.process.pid}/smaps_rollup", encoding="ascii") as rollup:
        return int(re.search(r"Pss:\s+(\d+)", rollup.read())[1])


def serve(database):
    return [SERVERY, "serve", "--listen", "127.0.0.1:{port}", "--database", database, "--secret-file",
            "{dir}/key", "--payment", "test", "--allow-test-payments", "--auth-rate-per-minute", "0"]


def seed(database, users, admins):
    subprocess.run([f"{BUILD}/bench/seed", database, str(users), str(admins)], check=True)


def servery(seeded=USERS, admins=0):
    """A server on a new database with that many users and admins."""
    server = Server("Servery + SQLite", serve("sqlite:{dir}/servery.db"))
    server.database = f"sqlite:{server.dir}/servery.db"
    if seeded:
        seed(server.database, seeded, admins)
    return server


# ---- PostgreSQL, in the cluster of script/with-postgres ----

def psql(url, *statements):
    commands = [word for sql in statements for word in ("-c", sql)]
    return subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url, *commands],
                          stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def cluster_pid():
    with open(f"{os.environ['SERVERY_TEST_POSTGRESQL_DIR']}/postmaster.pid", encoding="ascii") as file:
        return int(file.readline())


def cpu_s(root):
    """Of a process and all below it, those that have ended included."""
    parents, seconds = {}, {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(name)] = int(fields[1])
        seconds[int(name)] = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    total, level = 0, {root}
    while level:
        total += sum(seconds.get(pid, 0) for pid in level)
        level = {pid for pid, parent in parents.items() if parent in level}
    return total


class OnPostgres(Server):
    """A server on a new database of the cluster, whose processes count as its own."""

    def __init__(self, seeded=USERS, admins=0, begin=None, settings=None):
        """`begin`: where the ids of a table begin; `settings`: of the database."""
        cluster = os.environ["SERVERY_TEST_POSTGRESQL"]
        name = f"bench_{os.getpid()}_{time.monotonic_ns()}"
        psql(cluster, f"CREATE DATABASE {name}")
        self.drop = (cluster, f"DROP DATABASE {name} WITH (FORCE)")
        self.database = re.sub(r"/[^/]*$", f"/{name}", cluster)
        super().__init__("Servery + PostgreSQL", serve(self.database))
        subprocess.run([SERVERY, "migrate", "--database", self.database], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        psql(self.database, *(f"ALTER TABLE {table} ALTER COLUMN id RESTART WITH {first}"
                              for table, first in (begin or {}).items()))
        if seeded:
            seed(self.database, seeded, admins)
        for setting, value in (settings or {}).items():
            psql(self.database, f"ALTER DATABASE {name} SET {setting} = '{value}'")

    def pids(self):
        return [self.process.pid, cluster_pid()]

    def __exit__(self, *_):
        super().__exit__()
        psql(*self.drop)
