#!/usr/bin/env python3
"""Runs the programs of docs/langchain.md and docs/openai-agents.md as they stand there, a line each.

    pages.py target/debug/fintecture-mcp          # after setup.sh

They meet the real server and, in place of a vendor's, the model of model.py. The one thing that is changed is the port
of a server that runs already. Exit 1: a program failed, or its answer does not have what the tool said.
"""

import os
import re
import sys
import tempfile
from pathlib import Path

import model
from playing import play
from run import HERE, PYTHON_1, PYTHON_2, Server, environment

DOCS = HERE.parent.parent / "docs"
PAGES = {"langchain.md": PYTHON_1, "openai-agents.md": PYTHON_2}
PROGRAM = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STARTS = "asyncio.run("  # what has it is a program; the rest are settings for one
ADDRESS = "http://127.0.0.1:8080"  # as the pages have it
TOKEN = "a-token-of-this-test-alone-0123456789"
ANSWER = "The tool says: verified, with a match score of 1.0."


def run(name, python, program, variables):
    """Runs one program, whose person says yes; returns whether it went well."""

    def wrong(output):
        if "input" in program and "yes or no? " not in output:
            return "nobody was asked"
        return None if ANSWER in output else f"the answer is not there: {ANSWER}"

    return play(name, [python, "-c", program], variables, wrong, answers="yes\nyes\n")


def main(binary):
    binary = Path(binary).resolve()
    scripted, base_url = model.start()
    with tempfile.TemporaryDirectory() as folder:
        server = Server(binary, "auto", folder, {"FINTECTURE_MCP_TOKEN": TOKEN})
        try:
            url = server.url()
            variables = environment() | {
                "PATH": f"{binary.parent}:{os.environ['PATH']}",
                "OPENAI_BASE_URL": base_url,
                "OPENAI_API_KEY": "none",
                "OPENAI_AGENTS_DISABLE_TRACING": "1",
                "FINTECTURE_MCP_TOKEN": TOKEN,
            }
            results = []
            for page, python in PAGES.items():
                found = PROGRAM.findall((DOCS / page).read_text())
                programs = [program for program in found if STARTS in program]
                for setting in set(found) - set(programs):
                    compile(setting, page, "exec")
                for number, program in enumerate(programs, 1):
                    name = f"{page}, program {number} of {len(programs)}"
                    results.append(run(name, python, program.replace(ADDRESS, url), variables))
                if len(programs) < 3:
                    print(f"FAIL {page} has {len(programs)} programs: where are the others?")
                    results.append(False)
            results.append(server.stop())
        finally:
            server.end()
            scripted.shutdown()
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
