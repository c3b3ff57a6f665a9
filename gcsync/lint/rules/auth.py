"""GC3: how data actions sign in, and what they show of it; for tokens see `bindings`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gcsync.core.secrecy import (
    REMOVED,
    advice,
    names_credential,
    secrets_in,
    unmistakable_secrets_in,
    without_references,
)
from gcsync.lint.randomness import holds_random_word
from gcsync.lint.registry import ALSO_ALONE, DATA_ACTIONS, FLOW_DOCUMENTS, rule
from gcsync.lint.target import is_external, is_platform_api
from gcsync.lint.wording import listed
from gcsync.model.value import unescape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcsync.lint.subject import Action, Flow, Found, Holder
    from gcsync.model.value import JSON

# Elsewhere below auth stand ids and kinds: these may look random and open nothing.
_PLACES = ("request/", "auth/token_url", "auth/client_secret_variable")
# What a service makes of a document to tell one state of it from another: random, and no secret.
_DIGEST_HEADER = re.compile(
    r"(?i)request/headers/(?:if-(?:none-)?match|etag|digest|content-md5|.*-(?:hash|checksum|digest))"
)
_SECURE = re.compile(r"\$!?\{?(?P<name>Secure\.[A-Za-z_]\w*)", re.ASCII)
_VARIABLE = re.compile(r"[A-Za-z_]\w*\.[A-Za-z_]\w*", re.ASCII)


@rule("GC301", "hard-coded-credential", severity="error", drivers=ALSO_ALONE)
def hard_coded_credential(holder: Holder) -> Iterator[Found]:
    """A credential stands in a header, an address or a body for everyone to read.

    Why: whoever may see the flow, its exports or the repository has the
    credential as well, for as long as the history lives. Nobody can replace
    it without editing every flow that holds it.

    Instead: have it replaced, for others may have read it; keep the new one
    in a secure variable and refer to that, or name an AuthBinding; for a data
    action of the public API, in a credential of its integration. A
    manifest with a literal credential is refused when it is read, whatever
    it allows: this rule is for live flows, and for words that only look
    random (a key of a public document, say). Those `metadata.allow` accepts.
    Headers that hold digests (`ETag`, `If-Match`, `Content-MD5`, `…-Hash` and
    the like) may look random.

    Example:
        actions:
          CreateTicket:
            request:
              headers: {X-Api-Key: "${Secure.DeskApiKey}"}
    """
    kind = "flow" if holder.spec.DRIVER in FLOW_DOCUMENTS else "dataaction"
    for action in holder.actions:
        for setting in action.spec.settings:
            value = setting.value
            if (
                value.__class__ is str
                and setting.path.startswith(_PLACES)
                and _is_secret(setting.path, str(value))
            ):
                yield action.found(
                    f"{action.name} holds a literal credential in {_shown(setting.path)};"
                    f" {advice(kind)}",
                    setting.path,
                )


@rule("GC302", "plain-http", severity="error", drivers=ALSO_ALONE)
def plain_http(holder: Holder) -> Iterator[Found]:
    """A data action calls an address, or gets its token from one, without encryption.

    Why: whoever sits between the platform and the service reads what is
    sent, callers' data and credentials included, and can answer in the
    service's place.

    Instead: call the service by https; if it has none, put a gateway that has
    in front of it.

    Example:
        actions:
          GetDeliverySlot:
            request: {url: "https://carrier.example/slots"}
    """
    for action in holder.actions:
        for path in ("request/url", "auth/token_url"):
            url = action.text(path)
            if url is not None and url[:7].lower() == "http://":
                yield action.found(
                    f"{action.name} calls an address in plain http ({path}); use https", path
                )


@rule("GC303", "unauthenticated-external-call", severity="warning", drivers=FLOW_DOCUMENTS)
def unauthenticated_external_call(flow: Flow) -> Iterator[Found]:
    """A data action calls another system, and nothing says how it signs in.

    Why: either the service lets everyone in, or it takes the credential from
    a place that reviewers do not see. From the manifest nobody can tell
    which, nor what breaks when a credential is renewed.

    Instead: name an AuthBinding, or one of type `none` where the service is
    meant to be open. A header that takes a credential from a secure variable
    counts as well; a key in the address does not, for addresses are logged.
    The platform's own hosts are left to implicit-user-context.

    Example:
        actions:
          GetDeliverySlot:
            auth: {binding: carrier-open}
            request: {url: "https://carrier.example/slots"}
    """
    for action in flow.actions:
        url = action.text("request/url")
        if url is not None and is_external(url) and not _signs_in(action):
            yield action.found(
                f"{action.name} calls another system but does not say how it signs in;"
                " name an AuthBinding, or one of type none",
                "request/url",
            )


@rule("GC307", "implicit-user-context", severity="warning", drivers=FLOW_DOCUMENTS)
def implicit_user_context(flow: Flow) -> Iterator[Found]:
    """A data action calls the platform's API, and nothing says as whom.

    Why: it then runs with the rights of whoever published the flow or
    triggered it. It works for one editor and fails for the next, or reads
    what callers' flows should never see. An address on one of the platform's own
    hosts is its API as much as a path is.

    Instead: name an AuthBinding whose credential has the rights that the call
    needs, and no more.

    Example:
        actions:
          GetQueueMetrics:
            auth: {binding: platform-api}
            request: {url: /api/v2/analytics/queues/observations/query}
    """
    for action in flow.actions:
        url = action.text("request/url")
        if url is not None and is_platform_api(url) and not _signs_in(action):
            yield action.found(
                f"{action.name} calls the platform's API without auth, so as whoever published"
                " or triggered the flow; name an AuthBinding",
                "request/url",
            )


@rule("GC308", "secure-variable", severity="error", drivers=DATA_ACTIONS)
def secure_variable(holder: Holder) -> Iterator[Found]:
    """A data action of the public API refers to a secure variable of flows.

    Why: data actions there know no secure variables. The reference stands for
    nothing, and is sent to the service as it is written.

    Instead: keep the secret in the credential that the data action's
    integration binds, and refer to it as `${credentials.name}`, or to what a
    sign-in answered as `${authResponse.access_token}`. What only the flow
    knows, it hands over as an input: `${input.name}`.

    Example:
        request:
          headers: {X-Api-Key: "${credentials.apiKey}"}
    """
    for action in holder.actions:
        for setting in action.spec.settings:
            names = {found["name"]: None for found in _SECURE.finditer(_text(setting.value))}
            if names:
                yield action.found(
                    f"{action.name} refers to {listed([*names])} in {_shown(setting.path)}, and"
                    f" data actions know no secure variables; {advice('dataaction')}",
                    setting.path,
                )


def _text(value: JSON) -> str:
    """Every text in *value*, one after the other."""
    if isinstance(value, dict):
        return "\n".join(map(_text, value.values()))
    if isinstance(value, tuple):
        return "\n".join(map(_text, value))
    return value if isinstance(value, str) else ""


def _is_secret(path: str, text: str) -> bool:
    if path == "auth/client_secret_variable":
        literal = without_references(text).strip()
        return bool(literal) and not _VARIABLE.fullmatch(literal)
    if text == REMOVED or any(secrets_in(path, text)):
        return True
    return holds_random_word(without_references(text)) and not _DIGEST_HEADER.fullmatch(path)


def _shown(path: str) -> str:
    """The path, but for a header whose very name holds a secret."""
    if any(unmistakable_secrets_in(path)) or holds_random_word(path):
        return "request/headers"
    return unescape(path)


def _signs_in(action: Action) -> bool:
    """Whether anything says how: a binding, live auth settings, or a header for a credential."""
    return action.spec.binding is not None or any(
        setting.value is not None
        and (setting.path.startswith("auth/") or names_credential(setting.path))
        for setting in action.spec.settings
    )
