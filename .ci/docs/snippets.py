"""Every fenced block is what its language says."""

import json
import subprocess
import tomllib

import json5
import yaml


def problem(block):
    """What is wrong with a block, if anything is."""
    if block.language not in LANGUAGES:
        known = ", ".join(LANGUAGES)
        return f"{block}: a block must name its language, one of {known}; here it is {block.language or 'none'}"
    try:
        LANGUAGES[block.language](block.text)
    except (ValueError, SyntaxError, yaml.YAMLError) as error:
        return f"{block}: no {block.language}: {error}"
    return None


def shell(text):
    """Commands for bash."""
    done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
    if done.returncode or done.stderr:
        raise ValueError(done.stderr.strip())


def console(text):
    """Commands behind a `$`, with what they print."""
    commands, goes_on = [], False
    for line in text.splitlines():
        if line.startswith("$ ") or goes_on:
            commands.append(line.removeprefix("$ "))
            goes_on = line.endswith("\\")
    if not commands:
        raise ValueError("no line begins with `$ `: is it text?")
    shell("\n".join(commands) + "\n")


def commented_json(text):
    """JSON with comments and trailing commas; the rest of JSON5 is refused by the clients that read these files."""
    if "'" in "".join(line.split("//")[0] for line in text.splitlines()):
        raise ValueError("single quotes are no JSON")
    json5.loads(text)


LANGUAGES = {
    "sh": shell,
    "bash": shell,
    "console": console,
    "json": json.loads,
    "jsonc": commented_json,
    "yaml": lambda text: list(yaml.safe_load_all(text)),
    "toml": tomllib.loads,
    "python": lambda text: compile(text, "snippet", "exec"),
    "text": lambda text: None,
}
