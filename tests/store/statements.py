"""What the checks of plans share: every statement of the program, which of its tables and indexes stay
small, and the exceptions. A statement is a named array of the program, so all of them stand in its
binary, macros expanded."""

import re
import sys

VERBS = rb"(?:SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH)"
STATEMENT = re.compile(rb"(?<=\0)(" + VERBS + rb" [^\0]+)\0")
# What an engine says on its own account; on the other one it is no SQL.
OWN = {"sqlite": r"\bsqlite_", "postgresql": r"\bpg_|set_config"}
# A binary in which fewer are found is read wrongly.
STATEMENTS_MIN = 100

# These do not grow with the orders: a shop has some hundred dishes, and one row of settings.
SMALL_TABLES = {"shop", "foods", "schema_migrations"}
# Partial indexes on what is open now. Walking through one is as much work as there is to do.
OPEN_WORK = {"foods_menu", "foods_image", "outbox_waiting", "payments_attention", "payments_calls",
             "payments_expires", "payments_open", "payments_refund", "users_admin"}


def statements(program, engine):
    texts = {found.decode() for found in STATEMENT.findall(program.read_bytes())}
    others = "|".join(["%s", *(own for name, own in OWN.items() if name != engine)])
    return sorted(text for text in texts if not re.search(others, text))


def excuses(on_purpose, sql, wrong):
    """The keys of `on_purpose` that fit what is wrong: a part of the statement, or that and how a step
    begins that alone is excused."""
    return {key for key in on_purpose for step in wrong
            if (key in sql if isinstance(key, str) else key[0] in sql and step.startswith(key[1]))}


def report(texts, wrongs, on_purpose, all_needed=True):
    """Prints the steps that are wrong with each statement as TAP, and ends the process. `all_needed`: an
    exception that no statement needs is wrong, too."""
    failed, needed = 0, set()
    for number, (sql, wrong) in enumerate(zip(texts, wrongs), 1):
        keys = excuses(on_purpose, sql, wrong)
        needed |= keys
        left = {step for step in wrong if not excuses(keys, sql, {step})}
        failed += bool(left)
        name = re.sub(r"\s+", " ", sql)[:70].replace("#", "")
        print(f"{'not ok' if left else 'ok'} {number} {name}")
        for step in sorted(left):
            print(f"# {step}: {sql}")
    for key in on_purpose.keys() - needed if all_needed else ():
        failed += 1
        print(f"# no statement needs this exception any more: {key}")
    print(f"1..{len(texts)}")
    sys.exit(1 if failed or len(texts) < STATEMENTS_MIN else 0)
