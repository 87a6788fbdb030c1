#!/usr/bin/env python3
"""Checks capability files against the schema of their format: `capability-files.py SCHEMA FILE...`."""

import json
import sys
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from yamlcore import CoreLoader  # YAML 1.2, as the format's engine reads it: `on` and dates are texts


def main(schema, *files):
    validator = Draft202012Validator(json.loads(Path(schema).read_text()))
    bad = 0
    for file in files:
        problems = list(validator.iter_errors(yaml.load(Path(file).read_text(), Loader=CoreLoader)))
        print("FAIL" if problems else "ok  ", file)
        for problem in problems:
            print(f"     {problem.json_path}: {problem.message[:300]}")
        bad += bool(problems)
    return 1 if bad or not files else 0


sys.exit(main(*sys.argv[1:]))
