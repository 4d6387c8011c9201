#!/usr/bin/env python3
"""Prints how many test cases of a JUnit file passed, failed and were skipped."""
import sys
import xml.etree.ElementTree as ET

passed = failed = skipped = 0
try:
    for case in ET.parse(sys.argv[1]).getroot().iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
except (OSError, ET.ParseError) as error:
    print(error, file=sys.stderr)
    failed = 1
print(passed, failed, skipped)
