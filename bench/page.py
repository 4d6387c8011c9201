"""The menu page in a browser, as Lighthouse sees it."""
import subprocess

from rig import HERE, SERVERY, Server


def bench_page():
    print("The menu page on a simulated phone (Lighthouse)", flush=True)
    demo = Server("Servery, demo", [SERVERY, "demo", "--listen", "127.0.0.1:{port}", "--public-url",
                                    "http://shop.localhost", "--secret-file", "{dir}/key"])
    with demo as server:
        subprocess.run(["node", f"{HERE}/page.mjs", str(server.port)], check=True)
