#!/usr/bin/env python3
"""Holds the pages to what they say: links lead somewhere, blocks are what they claim, commands work.

    check.py PROGRAM [PAGE...]

Blocks of `sh` are run, each page in a home folder of its own, with a server started where the page starts one;
configurations of clients are started as the client would. `<!-- not run: why -->` before a block keeps it from being run;
it is parsed all the same.
"""

import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import links
import snippets
from pages import read
from session import Session, seed

ROOT = Path(__file__).resolve().parents[2]
README_LINES = 300
AT_ONCE = 3  # pages


def is_read_by_people(name):
    return name.startswith("docs/") or name in ("README.md", "CONTRIBUTING.md", "deploy/README.md")


def run(page, folder, program, seeds):
    """Runs the blocks of a page; returns what went wrong."""
    wrong = []
    with Session(folder, program, seeds) as session:
        for block in page.blocks:
            problem = None if block.why_not else session.run(block)
            if problem:
                wrong.append(f"{block}: {problem}")
    return wrong


def main(program, *only):
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )
    tracked = {name for name in listed.stdout.splitlines() if (ROOT / name).exists()}
    every = [read(ROOT, name) for name in sorted(tracked) if name.endswith(".md")]
    wrong = list(links.problems(ROOT, every, tracked))
    readme = next(page for page in every if page.name == "README.md")
    if readme.text.count("\n") >= README_LINES:
        wrong.append(f"README.md: has {README_LINES} lines or more; docs/ has room")
    pages = [page for page in every if is_read_by_people(page.name) and (not only or page.name in only)]
    blocks = [block for page in pages for block in page.blocks]
    wrong += filter(None, map(snippets.problem, blocks))
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(AT_ONCE) as pool:
        seeds = Path(scratch, "seeds")
        seed(seeds, program)
        folders = [Path(scratch, str(number)) for number, _ in enumerate(pages)]
        for found in pool.map(lambda page, folder: run(page, folder, program, seeds), pages, folders):
            wrong += found
    for block in blocks:
        if block.why_not:
            print(f"{block}: not run: {block.why_not}")
    print("\n".join(wrong), end="\n" if wrong else "")
    print(f"{len(pages)} pages, {len(blocks)} blocks, {len(wrong)} problems")
    return bool(wrong)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main(Path(sys.argv[1]).resolve(), *sys.argv[2:]))
