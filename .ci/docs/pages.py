"""Reads pages of Markdown: their headings, links and fenced blocks."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from markdown_it import MarkdownIt
from mdit_py_plugins.anchors import anchors_plugin

READER = MarkdownIt("commonmark").enable("table").use(anchors_plugin, max_level=6)
NOT_RUN = re.compile(r"<!-- not run: (.+?) -->", re.DOTALL)


@dataclass
class Block:
    """A fenced block; `why_not` is the reason of a comment before it that says not to run it."""

    page: "Page"
    line: int
    language: str
    text: str
    section: str
    why_not: str | None

    def __str__(self):
        return f"{self.page.name}:{self.line}"


@dataclass
class Page:
    """One page, by its name from the root of the project on."""

    name: str
    path: Path
    text: str
    anchors: set[str] = field(default_factory=set)
    links: list[tuple[int, str]] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)


def read(root: Path, name: str) -> Page:
    """Reads a page of the project."""
    text = (root / name).read_text(encoding="utf-8")
    page = Page(name, root / name, text)
    section, why_not, line = [], None, 0
    for token in READER.parse(text):
        line = token.map[0] + 1 if token.map else line
        if token.type == "heading_open":
            page.anchors.add(token.attrs["id"])
            section = []
        if token.type == "inline":
            section.append(token.content)
            for part in token.children:
                target = part.attrs.get("href") or part.attrs.get("src")
                if target:
                    page.links.append((line, target))
        if token.type == "fence":
            page.blocks.append(Block(page, line, token.info.strip(), token.content, section, why_not))
            section.append(token.content)
        if token.type == "html_block":
            found = NOT_RUN.search(token.content)
            why_not = found and found.group(1)
        elif token.level == 0:
            why_not = None
    for block in page.blocks:
        block.section = "\n".join(block.section)
    return page
