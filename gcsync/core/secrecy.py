"""Which texts hold a secret, and how a value that does is kept: as a digest.

A live document can hold credentials that somebody typed into a header, a URL
or a body. Wherever gcsync would keep or show such a live value, it keeps a
digest instead, which is enough to see whether the value is still the same.

References pass: ``${Secure.Name}``, and whatever else the platform puts in
when it sends the request (``${input.x}``, ``$!{…}``, ``{{…}}``).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from gcsync.core.exact_json import canonical
from gcsync.model.value import Absent, Sealed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcsync.model.value import Value

REMOVED: Final = "(a secret, removed by gcsync)"
"""What stands in a saved snapshot in the place of a setting that held a secret."""

_IN_A_VARIABLE: Final = "keep it in a secure variable and write ${Secure.Name}"
_ADVICE: Final = {
    "dataaction": "keep it in the credentials of the integration and write ${credentials.NAME}",
    "integration": "keep it in a credential and bind that under spec.credentials",
}

_REFERENCE = re.compile(
    r"\$!?\{[^{}]*\}|\{\{[^{}]*\}\}|\$!?[A-Za-z_]\w*\.[A-Za-z_]\w*(?:\.\w+)*", re.ASCII
)
_SCHEME = re.compile(r"(?i)^\s*(bearer|basic|token|apikey|api-key|digest|key)\b[\s:=]*")
# No nested and no long unbounded repetition: a request body is an attacker's to choose.
_CREDENTIAL = (
    r"[a-z0-9_.-]{0,60}?"
    r"(?:pass(?:word|wd|phrase)|pwd|secret|token|(?:api|access|private|subscription)[-_.]?key)"
)
_CREDENTIAL_HEADER = re.compile(
    rf"(?i){_CREDENTIAL}|(?:proxy-|x-)?auth(?:orization)?|(?:set-)?cookie"
)
_CREDENTIAL_NAME = re.compile(rf"(?i){_CREDENTIAL}")
# A credential's name and its literal value in JSON, a query, a form or XML.
_ASSIGNED = re.compile(
    rf"""(?ix)(?<![\w.-])["']?{_CREDENTIAL}["']?\s*
    (?: [:=]\s*["']?(?P<value>[^\s"',&;<>}}]+) | >(?P<element>[^<]{{1,200}})</ )"""
)
_HARMLESS = frozenset(("null", "true", "false", "none", "bearer", "basic"))
_BEARER = re.compile(r"(?i)\bbearer\s+(?P<value>[A-Za-z0-9._~+/=-]{8,})")
_BASIC = re.compile(r"(?i)\bbasic\s+(?P<value>[A-Za-z0-9+/]{4,}={0,2})")
_USERINFO = re.compile(r"(?i)\b[a-z][a-z0-9+.-]{0,20}://(?P<user>[^\s/?#@\"'<>]{1,500})@")
_SHAPES = {
    "a private key": re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY"),
    "a signed token": re.compile(r"\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]*"),
    "an access key": re.compile(
        r"\b(?:A[KS]IA[0-9A-Z]{16}|AIza[0-9A-Za-z_-]{35}|gh[pousr]_[0-9A-Za-z]{30,}"
        r"|github_pat_\w{30,}|glpat-[\w-]{20,}|xox[abprs]-[\w-]{10,}|[sr]k_live_[0-9A-Za-z]{16,})"
    ),
}
_NAMED = frozenset(("variables", "data", "context", "input", "properties"))
# The least that a shape above, or "bearer" with a token, can be.
_SHORTEST = 15
# What the patterns above need in lower case; most texts have none of it.
_SUSPICIOUS = (
    *("pass", "pwd", "secret", "key", "token", "bearer", "basic", "@", "eyj", "akia", "asia"),
    *("aiza", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github", "glpat", "xox", "_live_"),
)


def advice(kind: str) -> str:
    """Where a secret belongs that manifests or live settings of *kind* need.

    Secure variables are a flow's alone: data actions and integrations of the
    public API have credentials instead.
    """
    return _ADVICE.get(kind.lower(), _IN_A_VARIABLE)


def sealed(setting: str, value: Value) -> Value:
    """*value* itself, or its digest where it holds a secret.

    *setting* is the path below the data action, e.g. ``request/headers/x``.
    """
    if holds_secret(setting, value):
        return Sealed(salt=setting, digest=_digest(setting, value))
    return value


def holds_secret(setting: str, value: Value) -> bool:
    """Whether *value* is one that is kept as a digest only; *setting* as for `sealed`."""
    text = _text(setting, value)
    return text is not None and any(secrets_in(setting, text))


def _text(setting: str, value: Value) -> str | None:
    """What of *value* can be read as a text; properties alone have secrets in any shape."""
    if isinstance(value, str):
        return value
    if setting.startswith("properties/") and not isinstance(value, Sealed | Absent):
        return canonical(value).decode()
    return None


def opens(seal: Sealed, value: Value) -> bool:
    """Whether *value* is the one that *seal* was made of."""
    if isinstance(value, Sealed):
        return seal == value
    return _text(seal.salt, value) is not None and _digest(seal.salt, value) == seal.digest


def _digest(salt: str, value: Value) -> str:
    # A password can be guessed from a plain hash of it; scrypt makes each guess dear (RFC 7914).
    return hashlib.scrypt(
        canonical(value), salt=f"gcsync/{salt}".encode(), n=2**14, r=8, p=1, dklen=16
    ).hex()


def secrets_in(thing: str, text: str) -> Iterator[str]:
    """What is secret in *text*, in words; at most one answer, for one is enough to refuse it.

    *thing* is what the text is: ``request/headers/Authorization``,
    ``request/url``, ``variables/crm_password``, ``data/pin``.
    """
    if names_credential(thing):
        literal = _REFERENCE.sub("", text)
        rest = _SCHEME.sub("", literal).strip(" \t,;=:")
        # Quotes and brackets that are left stand around references: no password is made of them.
        if any(map(str.isalnum, rest)) and rest.casefold() not in _HARMLESS:
            yield "a credential"
        return
    lowered = text.lower()
    if any(sign in lowered for sign in _SUSPICIOUS):
        yield from _suspected(text, _REFERENCE.sub("", text))


def without_references(text: str) -> str:
    """*text* with a blank for each reference: what of it is literal."""
    return _REFERENCE.sub(" ", text)


@lru_cache(maxsize=1024)
def names_credential(thing: str) -> bool:
    """Whether what a header or a variable is called says that its value is secret."""
    where, _, name = thing.rpartition("/")
    if where == "request/headers":
        return bool(_CREDENTIAL_HEADER.fullmatch(name))
    return where.partition("/")[0] in _NAMED and bool(_CREDENTIAL_NAME.fullmatch(name))


def unmistakable_secrets_in(text: str) -> Iterator[str]:
    """What is secret in *text* wherever it stands: what no prose and no name looks like.

    At most one answer, as for `secrets_in`.
    """
    if may_hold_secret(text):
        literal = _REFERENCE.sub("", text)
        yield from _shaped(literal)


def may_hold_secret(text: str) -> bool:
    """Whether `unmistakable_secrets_in` can find anything in *text*; cheap, for it seldom can."""
    if len(text) < _SHORTEST:
        return False
    lowered = text.lower()
    return any(sign in lowered for sign in _SUSPICIOUS)


def _shaped(literal: str) -> Iterator[str]:
    for what, shape in _SHAPES.items():
        if shape.search(literal):
            yield what
            return
    bearer = _BEARER.search(literal)
    if bearer and _is_random(bearer["value"]):
        yield "a bearer token"


def _suspected(text: str, literal: str) -> Iterator[str]:
    shaped = next(_shaped(literal), None)
    if shaped:
        yield shaped
    elif any(_is_pair(match["value"]) for match in _BASIC.finditer(literal)):
        yield "a user name and password (Basic)"
    elif _has_userinfo(text):
        yield "a user name or password in an address"
    elif any(_is_literal(match) for match in _ASSIGNED.finditer(text)):
        yield "a password, token or key"


def _is_literal(assigned: re.Match[str]) -> bool:
    value = assigned["value"] or assigned["element"] or ""
    rest = _REFERENCE.sub("", value).strip()
    # "$" and "{" begin a reference that goes on behind what was matched.
    return bool(rest) and rest[0] not in "${" and rest.casefold() not in _HARMLESS


def _has_userinfo(text: str) -> bool:
    """Whether an address carries a literal password, or a literal user without one."""
    for match in _USERINFO.finditer(_REFERENCE.sub("$", text)):
        user, colon, password = match["user"].partition(":")
        if (password if colon else user).strip("$"):
            return True
    return False


def _is_pair(value: str) -> bool:
    """Whether base64 text is a user name and a password with a colon between (RFC 7617)."""
    try:
        return b":" in base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except binascii.Error:
        return False


def _is_random(value: str) -> bool:
    """Whether a word after "bearer" is a token rather than prose."""
    return len(value) >= 20 or any(character.isdigit() for character in value)
