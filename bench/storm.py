"""A login storm: the menu must not notice that every core hashes passwords."""
import json
import subprocess
import threading

from rig import BUILD, HERE, USERS, flow, servery

RATE, CONNECTIONS, SECONDS = 1000, 50, 10


def menu(server):
    text = subprocess.run([f"{BUILD}/bench/openloop", str(server.port), "/api/foods", str(RATE),
                           str(SECONDS), str(CONNECTIONS)],
                          capture_output=True, text=True, check=True).stdout
    return json.loads(text)


def bench_storm():
    print(f"Menu reads at {RATE} a second, open loop, alone and beside {USERS} clients who log in "
          "as fast\nas they are answered")
    with servery() as server:
        calm = menu(server)
        logins = {}
        storm = threading.Thread(target=lambda: logins.update(
            flow(server, f"{HERE}/flows/login.flow", seconds=SECONDS + 3)))
        storm.start()
        stormy = menu(server)
        storm.join()
    for name, figures in (("calm", calm), ("storm", stormy)):
        print(f"  {name:<34} p50 {figures['p50_ms']:.2f} ms   p99 {figures['p99_ms']:.2f} ms   "
              f"max {figures['max_ms']:.1f} ms   of {figures['n']}, {figures['failed']} failed")
    print(f"  {logins['rate']:.0f} log-ins a second meanwhile; menu p99 {stormy['p99_ms']:.1f} ms "
          "(aim: under 20 ms)", flush=True)
