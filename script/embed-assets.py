#!/usr/bin/env python3
"""Writes the pages and the API's description as a C table (api/assets.h).

    embed-assets.py OUTPUT PAGES OPENAPI

PAGES is what web/build.mjs made. Of a file that it has compressed, only that is embedded. OPENAPI is
embedded as the JSON that it means."""
import gzip
import json
import os
import sys

import yaml

from c_bytes import put_bytes


def read(*path):
    with open(os.path.join(*path), "rb") as file:
        return file.read()


def collect(pages, openapi):
    """(name, source, type, immutable, plain, gzip, brotli) of each file; what there is not is None."""
    for file in json.loads(read(pages, "files.json")):
        forms = [read(pages, file["name"]), None, None]
        if os.path.exists(os.path.join(pages, file["name"] + ".gz")):
            forms = [None] + [read(pages, file["name"] + suffix) for suffix in (".gz", ".br")]
        yield (file["name"], file.get("source"), file["type"], file["immutable"], *forms)
    text = json.dumps(yaml.safe_load(read(openapi)), ensure_ascii=False, separators=(",", ":"))
    packed = gzip.compress(text.encode(), 9, mtime=0)
    yield "openapi.json", "openapi.json", "application/json", False, None, packed, None


def main(output, pages, openapi):
    with open(output, "w", encoding="ascii") as out:
        out.write('#include "api/assets.h"\n\n')
        rows = []
        for i, (name, source, kind, immutable, *forms) in enumerate(collect(pages, openapi)):
            words = ("PLAIN", "GZIP", "BROTLI")
            texts = [put_bytes(out, f"{word}_{i}", data) for word, data in zip(words, forms)]
            source = f'"{source}"' if source else '""'
            flag = "true" if immutable else "false"
            rows.append(f'    {{"{name}", {source}, "{kind}", {flag}, {", ".join(texts)}}},\n')
        out.write("\nconst struct asset ASSETS[] = {\n" + "".join(rows) + "};\n")
        out.write("const size_t ASSETS_N = sizeof ASSETS / sizeof *ASSETS;\n")


main(*sys.argv[1:])
