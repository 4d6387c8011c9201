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
    the flow takes one at random as {{vr}}."""
    more = ["-L", values] if values else []
    text = subprocess.run([f"{BUILD}/bench/flow", "-p", str(server.port), "-c", str(users), "-d",
                           str(seconds), "-w", "1.5", "-P", str(server.process.pid), *more, path],
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


def servery(seeded=USERS, admins=0):
    """A server on a new database with that many users and admins."""
    server = Server("Servery + SQLite",
                    [SERVERY, "serve", "--listen", "127.0.0.1:{port}", "--database",
                     "sqlite:{dir}/servery.db", "--secret-file", "{dir}/key", "--payment", "test",
                     "--allow-test-payments", "--auth-rate-per-minute", "0"])
    if seeded:
        subprocess.run([f"{BUILD}/bench/seed", f"sqlite:{server.dir}/servery.db", str(seeded),
                        str(admins)],
                       check=True)
    return server
