#!/usr/bin/env python3
"""Writes the files given as a C table (api/assets.h).

    embed-assets.py OUTPUT FILE... [--packed NAME=FILE]...

A .yaml file is embedded as the JSON that it means, under its name with .json. A packed file is
embedded as gzip only, under its name with its hash in it; what refers to /assets/NAME is changed."""
import gzip
import hashlib
import json
import os
import sys

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
}


def load(path):
    name = os.path.basename(path)
    with open(path, "rb") as file:
        data = file.read()
    if name.endswith(".yaml"):
        import yaml
        text = json.dumps(yaml.safe_load(data), ensure_ascii=False, separators=(",", ":"))
        name, data = name[: -len(".yaml")] + ".json", text.encode()
    return name, data


def pack(path):
    with open(path, "rb") as file:
        plain = file.read()
    return gzip.compress(plain, 9, mtime=0), hashlib.sha256(plain).hexdigest()[:12]


def collect(arguments):
    """(name, bytes, packed) of each file."""
    files, packed = [], []
    words = iter(arguments)
    for word in words:
        if word == "--packed":
            name, path = next(words).split("=", 1)
            data, mark = pack(path)
            stem, suffix = os.path.splitext(name)
            packed.append((name, f"{stem}-{mark}{suffix}", data))
        else:
            files.append(load(word))
    for name, data in files:
        for plain, marked, _ in packed:
            if name.endswith(".html"):
                data = data.replace(f"/assets/{plain}\"".encode(), f"/assets/{marked}\"".encode())
        yield name, data, False
    for _, marked, data in packed:
        yield marked, data, True


def main(output, arguments):
    with open(output, "w", encoding="ascii") as out:
        out.write('#include "api/assets.h"\n\n')
        rows = []
        for i, (name, data, packed) in enumerate(collect(arguments)):
            out.write(f"static const unsigned char FILE_{i}[] = {{\n")
            for at in range(0, len(data), 24):
                out.write("".join(f"{byte}," for byte in data[at:at + 24]) + "\n")
            out.write("0};\n")
            kind = TYPES[os.path.splitext(name)[1]]
            flag = "true" if packed else "false"
            rows.append(f'    {{"{name}", "{kind}", FILE_{i}, {len(data)}, {flag}}},\n')
        out.write("\nconst struct asset ASSETS[] = {\n" + "".join(rows) + "};\n")
        out.write("const size_t ASSETS_N = sizeof ASSETS / sizeof *ASSETS;\n")


main(sys.argv[1], sys.argv[2:])
