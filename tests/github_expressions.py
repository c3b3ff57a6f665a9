"""GitHub's expressions, as far as this house's workflows use them.

``||`` and ``&&`` give one of their operands, as there; an unknown function or
a sign that is none of these is an error, so that nothing is passed by luck.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

TOKEN = re.compile(r"\s*('(?:[^']|'')*'|[\w.-]+(?:\(\))?|&&|\|\||==|!=|[!(),])")
IN_TEXT = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
STATUS = re.compile(r"\b(success|failure|cancelled|always)\(\)")


def interpolated(text: Any, contexts: Mapping[str, Any]) -> str:
    """*text* with its ``${{ … }}`` replaced by their values."""
    return IN_TEXT.sub(lambda found: shown(evaluated(found[1], contexts)), shown(text))


def holds(condition: str, contexts: Mapping[str, Any]) -> bool:
    """Whether an ``if:`` lets its job or step run."""
    found = IN_TEXT.fullmatch(condition.strip())
    expression = found[1] if found else condition
    if not STATUS.search(expression):
        expression = f"success() && ({expression})"
    return bool(evaluated(expression, contexts))


def evaluated(expression: str, contexts: Mapping[str, Any]) -> Any:
    """The value of one expression."""
    tokens = TOKEN.findall(expression)
    assert "".join(tokens) == re.sub(r"\s(?=(?:[^']*'[^']*')*[^']*$)", "", expression), expression
    reader = _Reader(tokens, contexts)
    value = reader.either()
    assert not reader.tokens, expression
    return value


def shown(value: Any) -> str:
    """A value as it stands in text."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


class _Reader:
    def __init__(self, tokens: list[str], contexts: Mapping[str, Any]) -> None:
        self.tokens = list(tokens)
        self.contexts = contexts

    def either(self) -> Any:
        value = self.both()
        while self.took("||"):
            other = self.both()
            value = value or other
        return value

    def both(self) -> Any:
        value = self.compared()
        while self.took("&&"):
            other = self.compared()
            value = value and other
        return value

    def compared(self) -> Any:
        value = self.single()
        if self.took("=="):
            return shown(value) == shown(self.single())
        if self.took("!="):
            return shown(value) != shown(self.single())
        return value

    def single(self) -> Any:
        if self.took("!"):
            return not self.single()
        if self.took("("):
            value = self.either()
            assert self.took(")")
            return value
        token = self.tokens.pop(0)
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if token == "format":
            return self.formatted()
        if token.endswith("()"):
            return self.contexts[token]
        return self.looked_up(token)

    def formatted(self) -> str:
        assert self.took("(")
        given = [self.either()]
        while self.took(","):
            given.append(self.either())
        assert self.took(")")
        return shown(given[0]).format(*map(shown, given[1:]))

    def looked_up(self, token: str) -> Any:
        context, *path = token.split(".")
        value = self.contexts[context]
        for name in path:
            value = (value or {}).get(name)
        return value

    def took(self, token: str) -> bool:
        if self.tokens[:1] == [token]:
            self.tokens.pop(0)
            return True
        return False
