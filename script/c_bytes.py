"""Bytes as C: what the scripts that embed files have in common."""


def put_bytes(out, name, data):
    """Defines the bytes, and returns the struct str of them."""
    if data is None:
        return "{NULL, 0}"
    out.write(f"static const unsigned char {name}[] = {{\n")
    for at in range(0, len(data), 24):
        out.write("".join(f"{byte}," for byte in data[at:at + 24]) + "\n")
    out.write("0};\n")
    return f"{{(const char *){name}, {len(data)}}}"
