"""The command ``jq`` over jq's own library, with the options that the workflows use.

GitHub's machines have the command; a machine that runs these tests may not.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import jq


def main(words: list[str]) -> None:
    options, arguments, rest = set(), {}, []
    while words:
        match words.pop(0):
            case "--arg":
                name = words.pop(0)
                arguments[name] = words.pop(0)
            case word if word.startswith("--"):
                options.add(word)
            case word:
                rest.append(word)
    assert options <= {"--raw-output", "--raw-input", "--slurp"}, options
    program, *files = rest
    text = Path(files[0]).read_text(encoding="utf-8") if files else sys.stdin.read()
    for value in jq.compile(program, args=arguments).input_value(given(text, options)):
        is_raw = "--raw-output" in options and isinstance(value, str)
        sys.stdout.write(f"{value if is_raw else json.dumps(value)}\n")


def given(text: str, options: set[str]) -> Any:
    if "--raw-input" in options:
        assert "--slurp" in options
        return text
    documents, at = [], 0
    decoder = json.JSONDecoder()
    while at < len(text):
        document, at = decoder.raw_decode(text, at)
        documents.append(document)
    if "--slurp" in options:
        return documents
    [only] = documents
    return only


if __name__ == "__main__":
    main(sys.argv[1:])
