"""Every link of a page leads somewhere, and every page of docs/ is led to."""

import posixpath
from urllib.parse import unquote, urlsplit


def problems(pages, tracked, home):
    """What is wrong with the links of the pages; `tracked` are the files of the project, `home` is its address, where
    pages that are shown elsewhere lead."""
    by_name = {page.name: page for page in pages}
    folders = {folder for name in tracked for folder in parents(name)}
    led_to, by_address = set(), f"{home}/blob/main/"
    for page in pages:
        for line, target in page.links:
            parts = urlsplit(target.removeprefix(by_address))
            if parts.scheme or parts.netloc:
                if parts.scheme not in ("https", "http", "mailto"):
                    yield f"{page.name}:{line}: {target}: a link of what kind?"
                continue
            name = page.name
            if parts.path:
                folder = "" if target.startswith(by_address) else posixpath.dirname(page.name)
                name = posixpath.normpath(posixpath.join(folder, unquote(parts.path)))
                if name not in tracked and name not in folders:
                    yield f"{page.name}:{line}: {target}: there is no {name}"
                    continue
            led_to.add(name)
            if parts.fragment and (name not in by_name or parts.fragment not in by_name[name].anchors):
                yield f"{page.name}:{line}: {target}: {name} has no heading of that name"
    for name in sorted(by_name):
        if name.startswith("docs/") and name not in led_to:
            yield f"{name}: no page leads here"


def parents(name):
    """The folders that a file is in."""
    folder = posixpath.dirname(name)
    while folder:
        yield folder
        folder = posixpath.dirname(folder)
