"""GitHub's part of a pipeline, on this machine: what ``gh api`` asks and changes.

As a program it stands in for ``gh``: it reads the state that ``GITHUB_STATE``
names, answers as the REST API does, two entries a page, and writes what it
changed. Anything that it does not know ends it with an error.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

PAGE = 2
BOT = {"login": "github-actions[bot]", "type": "Bot"}
REPOSITORY = "repos/acme/centre"


def main(words: list[str]) -> None:
    file = Path(os.environ["GITHUB_STATE"])
    state = json.loads(file.read_text())
    method, paths, fields, pages = "GET", [], {}, False
    assert words.pop(0) == "api", words
    assert os.environ["GH_TOKEN"] == "a-token"
    while words:
        match words.pop(0):
            case "--paginate":
                pages = True
            case "--silent":
                pass
            case "--method":
                method = words.pop(0)
            case "--input":
                assert words.pop(0) == "-"
                fields = json.load(sys.stdin)
            case "-f":
                name, _, value = words.pop(0).partition("=")
                fields[name] = value
            case path:
                paths.append(path)
    [path] = paths
    answer(state, method, path, fields, pages=pages)
    file.write_text(json.dumps(state))


def answer(
    state: dict[str, Any], method: str, path: str, fields: dict[str, Any], *, pages: bool
) -> None:
    parts = urlsplit(path)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    route = f"{method} {parts.path.removeprefix(REPOSITORY)}"
    if found := re.fullmatch(r"GET /commits/(\w+)/pulls", route):
        write(state["pulls"].get(found[1], []))
    elif route == "GET /actions/artifacts":
        named = [each for each in state["artifacts"] if each["name"] == query["name"]]
        write({"total_count": len(named), "artifacts": named})
    elif found := re.fullmatch(r"GET /actions/artifacts/(\d+)/zip", route):
        sys.stdout.buffer.write(Path(state["zips"][found[1]]).read_bytes())
    elif found := re.fullmatch(r"GET /issues/(\d+)/comments", route):
        listed(comments_on(state, found[1]), pages=pages)
    elif found := re.fullmatch(r"POST /issues/(\d+)/comments", route):
        comments_on(state, found[1]).append({"id": fresh(state), "user": BOT, **fields})
    elif found := re.fullmatch(r"PATCH /issues/comments/(\d+)", route):
        all_comments = [each for some in state["comments"].values() for each in some]
        one(all_comments, "id", found[1]).update(fields)
    elif route == "GET /issues":
        wanted = [
            each
            for each in state["issues"]
            if each["state"] == query["state"] and query["labels"] in each["labels"]
        ]
        listed(wanted, pages=pages)
    elif route == "POST /issues":
        state["issues"].append({"number": fresh(state), "user": BOT, "state": "open", **fields})
    elif found := re.fullmatch(r"PATCH /issues/(\d+)", route):
        one(state["issues"], "number", found[1]).update(fields)
    else:
        sys.exit(f"gh: {method} {path}: Not Found (HTTP 404)")


def comments_on(state: dict[str, Any], number: str) -> list[dict[str, Any]]:
    comments: list[dict[str, Any]] = state["comments"].setdefault(number, [])
    return comments


def one(entries: list[dict[str, Any]], key: str, number: str) -> dict[str, Any]:
    [found] = [entry for entry in entries if str(entry[key]) == number]
    return found


def fresh(state: dict[str, Any]) -> int:
    state["last_id"] = state.get("last_id", 100) + 1
    return int(state["last_id"])


def listed(entries: list[dict[str, Any]], *, pages: bool) -> None:
    """The first page, or one after the other, each a JSON document of its own."""
    for start in range(0, max(1, len(entries)), PAGE):
        write(entries[start : start + PAGE])
        if not pages:
            return


def write(value: Any) -> None:
    sys.stdout.write(json.dumps(value))


if __name__ == "__main__":
    main(sys.argv[1:])
