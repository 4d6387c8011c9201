#!/usr/bin/env python3
"""Writes the pictures of the sample menu as a C table (app/demo_pictures.h).

    embed-pictures.py OUTPUT PICTURE...

A picture's name in the table is its file's, without the suffix."""
import os
import sys

from c_bytes import put_bytes


def main(output, *paths):
    with open(output, "w", encoding="ascii") as out:
        out.write('#include "app/demo_pictures.h"\n\n')
        rows = []
        for i, path in enumerate(paths):
            with open(path, "rb") as file:
                text = put_bytes(out, f"PICTURE_{i}", file.read())
            name = os.path.splitext(os.path.basename(path))[0]
            rows.append(f'    {{"{name}", {text}}},\n')
        out.write("\nconst struct demo_picture DEMO_PICTURES[] = {\n" + "".join(rows) + "};\n")
        out.write("const size_t DEMO_PICTURES_N = sizeof DEMO_PICTURES / sizeof *DEMO_PICTURES;\n")


main(*sys.argv[1:])
