#!/usr/bin/env python3
"""Writes the migrations as C: embed-migrations.py 0001-NAME.sql ... migrations.c"""
import json
import re
import sys
from pathlib import Path


def c_string(text):
    """One C literal a line; JSON's escapes are C's as long as other letters stay as they are."""
    lines = text.splitlines(keepends=True)
    return "\n".join("        " + json.dumps(line, ensure_ascii=False) for line in lines)


def main():
    *sources, target = sys.argv[1:]
    entries = []
    for version, source in enumerate(sorted(sources, key=lambda s: Path(s).name), start=1):
        match = re.fullmatch(r"(\d{4})-([a-z0-9-]+)\.sql", Path(source).name)
        if not match or int(match[1]) != version:
            sys.exit(f"embed-migrations: {source} should be called {version:04}-NAME.sql")
        text = c_string(Path(source).read_text(encoding="utf-8"))
        entries.append(f'    {{{version}, "{match[2]}",\n{text}}},\n')
    Path(target).write_text(
        "/* Made by script/embed-migrations.py from migrations/. */\n"
        '#include "store/engine.h"\n\n'
        "const struct migration store_migrations[] = {\n" + "".join(entries) + "};\n"
        "const size_t store_n_migrations =\n"
        "    sizeof(store_migrations) / sizeof(store_migrations[0]);\n",
        encoding="utf-8",
    )


main()
