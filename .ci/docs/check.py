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
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import links
import snippets
from pages import read
from session import Session, seed

ROOT = Path(__file__).resolve().parents[2]
README_LINES = 300
BROKEN = ".ci/docs/broken.md"  # what the checker must find wrong, so that it is known to look
AT_ONCE = 3  # pages


def is_read_by_people(name):
    known = ("README.md", "CONTRIBUTING.md", "deploy/README.md", "packaging/about.md")
    return name.startswith("docs/") or name in known


def run(page, folder, program, seeds):
    """Runs the blocks of a page; returns what went wrong."""
    wrong = []
    with Session(folder, program, seeds) as session:
        for block in page.blocks:
            problem = None if block.why_not else session.run(block)
            if problem:
                wrong.append(f"{block}: {problem}")
    return wrong


def problems(pages, program):
    """What is wrong with the blocks of these pages."""
    wrong = [snippets.problem(block) for page in pages for block in page.blocks]
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(AT_ONCE) as pool:
        seeds = Path(scratch, "seeds")
        seed(seeds, program)
        runs = [pool.submit(run, page, Path(scratch, str(at)), program, seeds) for at, page in enumerate(pages)]
        for done in runs:
            wrong += done.result()
    return [problem for problem in wrong if problem]


def missed(broken, wrong):
    """The links and blocks of the broken page that nothing was found wrong with."""
    places = {f"{broken.name}:{line}" for line, _ in broken.links} | {str(block) for block in broken.blocks}
    found = {problem.split(": ")[0] for problem in wrong}
    return [f"{place}: the checker finds nothing wrong here" for place in sorted(places - found)]


def main(program, *only):
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )
    tracked = {name for name in listed.stdout.splitlines() if (ROOT / name).exists()}
    every = [read(ROOT, name) for name in sorted(tracked) if name.endswith(".md") and name != BROKEN]
    pages = [page for page in every if is_read_by_people(page.name) and (not only or page.name in only)]
    broken = read(ROOT, BROKEN)
    home = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))["package"]["repository"]
    found = problems([*pages, broken], program) + list(links.problems([*every, broken], tracked, home))
    wrong = [problem for problem in found if not problem.startswith(f"{BROKEN}:")] + missed(broken, found)
    if next(page for page in every if page.name == "README.md").text.count("\n") >= README_LINES:
        wrong.append(f"README.md: has {README_LINES} lines or more; docs/ has room")
    blocks = [block for page in pages for block in page.blocks]
    for block in blocks:
        if block.why_not:
            print(f"{block}: not run: {block.why_not}")
    print("\n".join(wrong), end="\n" if wrong else "")
    print(f"{len(pages)} pages, {len(blocks)} blocks, {len(wrong)} problems")
    return bool(wrong)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main(Path(sys.argv[1]).resolve(), *sys.argv[2:]))
