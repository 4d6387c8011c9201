#!/usr/bin/env python3
"""Writes the files given as a C table (api/assets.h). Usage: embed-assets.py OUTPUT FILE...

A .yaml file is embedded as the JSON that it means, under its name with .json."""
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


def main(output, paths):
    with open(output, "w", encoding="ascii") as out:
        out.write('#include "api/assets.h"\n\n')
        rows = []
        for i, path in enumerate(paths):
            name, data = load(path)
            out.write(f"static const unsigned char FILE_{i}[] = {{\n")
            for at in range(0, len(data), 24):
                out.write("".join(f"{byte}," for byte in data[at:at + 24]) + "\n")
            out.write("0};\n")
            kind = TYPES[os.path.splitext(name)[1]]
            rows.append(f'    {{"{name}", "{kind}", FILE_{i}, {len(data)}}},\n')
        out.write("\nconst struct asset ASSETS[] = {\n" + "".join(rows) + "};\n")
        out.write("const size_t ASSETS_N = sizeof ASSETS / sizeof *ASSETS;\n")


main(sys.argv[1], sys.argv[2:])
