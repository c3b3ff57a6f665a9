"""GC3: how data actions sign in, and what they show of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gcsync.core.secrecy import (
    REMOVED,
    names_credential,
    secrets_in,
    unmistakable_secrets_in,
    without_references,
)
from gcsync.lint.randomness import holds_random_word
from gcsync.lint.registry import rule
from gcsync.lint.target import is_absolute, is_platform_api
from gcsync.lint.wording import listed
from gcsync.model.manifest import unescape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcsync.lint.subject import Action, Binding, Flow, Found, Organisation
    from gcsync.model.manifest import JSON

BROAD_SCOPES: Final = frozenset(
    (
        *("*", "admin", "all", "full", "full_access", "root", "superuser"),
        *("user:write", "users:write", "user:admin", "users:admin"),
        *("write:user", "write:users", "admin:user", "admin:users"),
    )
)
"""Scopes that open everything, or accounts, and by these everything that accounts may do.

Written with colons; services that write dots or slashes mean the same.
"""

# Elsewhere below auth stand ids and kinds: these may look random and open nothing.
_PLACES = ("request/", "auth/token_url", "auth/client_secret_variable")
_VARIABLE = re.compile(r"[A-Za-z_]\w*\.[A-Za-z_]\w*", re.ASCII)


@rule("GC301", "hard-coded-credential", severity="error")
def hard_coded_credential(flow: Flow) -> Iterator[Found]:
    """A credential stands in a header, an address or a body for everyone to read.

    Why: whoever may see the flow, its exports or the repository has the
    credential as well, for as long as the history lives. Nobody can replace
    it without editing every flow that holds it.

    Instead: have it replaced, for others may have read it; keep the new one
    in a secure variable and refer to that, or name an AuthBinding. What only
    looks random (a key of a public document, say) can be allowed by
    `metadata.allow`.

    Example:
        actions:
          CreateTicket:
            request:
              headers: {X-Api-Key: "${Secure.DeskApiKey}"}
    """
    for action in flow.actions:
        for setting in action.spec.settings:
            value = setting.value
            if (
                value.__class__ is str
                and setting.path.startswith(_PLACES)
                and _is_secret(setting.path, str(value))
            ):
                yield action.found(
                    f"{action.name} holds a literal credential in {_shown(setting.path)};"
                    " keep it in a secure variable and write ${Secure.Name}",
                    setting.path,
                )


@rule("GC302", "plain-http", severity="error")
def plain_http(flow: Flow) -> Iterator[Found]:
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
    for action in flow.actions:
        for path in ("request/url", "auth/token_url"):
            url = action.text(path)
            if url is not None and url[:7].lower() == "http://":
                yield action.found(
                    f"{action.name} calls an address in plain http ({path}); use https", path
                )


@rule("GC303", "unauthenticated-external-call", severity="warning")
def unauthenticated_external_call(flow: Flow) -> Iterator[Found]:
    """A data action calls another system, and nothing says how it signs in.

    Why: either the service lets everyone in, or it takes the credential from
    a place that reviewers do not see. From the manifest nobody can tell
    which, nor what breaks when a credential is renewed.

    Instead: name an AuthBinding, or one of type `none` where the service is
    meant to be open. A header that takes a credential from a secure variable
    counts as well; a key in the address does not, for addresses are logged.

    Example:
        actions:
          GetDeliverySlot:
            auth: {binding: carrier-open}
            request: {url: "https://carrier.example/slots"}
    """
    for action in flow.actions:
        url = action.text("request/url")
        if url is not None and is_absolute(url) and not _signs_in(action):
            yield action.found(
                f"{action.name} calls another system but does not say how it signs in;"
                " name an AuthBinding, or one of type none",
                "request/url",
            )


@rule(
    "GC304", "long-token-cache", severity="warning", scope="organisation", threshold=540, unit="s"
)
def long_token_cache(organisation: Organisation, limit_s: float) -> Iterator[Found]:
    """A token is kept for long, or for longer than it lives.

    Why: a token that dies in the cache fails the calls of everybody until
    somebody renews it. Many services give ten minutes; nine leave room for
    clocks that differ and for calls under way. And a token that was withdrawn
    keeps working out of the cache.

    Instead: lower `token_cache_s` to a minute less than `token_lifetime_s`.

    Example:
        kind: AuthBinding
        spec:
          token_cache_s: 540
          token_lifetime_s: 600
    """
    for subject, lifetime_s in _signings(organisation):
        cache_s = subject.number("auth/token_cache_s")
        if cache_s is None:
            continue
        if lifetime_s is not None and cache_s > lifetime_s:
            reason = f"longer than it lives ({lifetime_s} s)"
        elif cache_s > limit_s:
            reason = f"longer than {limit_s:g} s"
        else:
            continue
        yield subject.found(
            f"{subject.spec.name} keeps a token for {cache_s:g} s, {reason}",
            "auth/token_cache_s",
        )


@rule("GC305", "broad-scope", severity="warning", scope="organisation")
def broad_scope(organisation: Organisation) -> Iterator[Found]:
    """A token may do far more than data actions need.

    Why: whoever gets hold of the token, or edits a flow that has it, may do
    all of it. Rights over accounts are rights over everything: a new account
    can be given any.

    Instead: ask for the scopes that the data actions use, by name. Where
    several need different ones, give each its own AuthBinding.

    Example:
        kind: AuthBinding
        spec:
          scopes: [contacts.read]
    """
    for subject, _ in _signings(organisation):
        broad = [scope for scope in _scopes(subject.value("auth/scopes")) if _is_broad(scope)]
        if broad:
            yield subject.found(
                f"{subject.spec.name} asks for {listed(broad)}, far more than data actions need",
                "auth/scopes",
            )


@rule("GC306", "unused-binding", severity="warning", scope="organisation")
def unused_binding(organisation: Organisation) -> Iterator[Found]:
    """An AuthBinding that no data action names.

    Why: it looks as if it were in force. Whoever renews the credential
    behind it, or reads it to learn how a service is called, is misled.

    Instead: name it where it belongs, or remove it and withdraw its
    credential.

    Example:
        actions:
          GetCustomerProfile:
            auth: {binding: crm-oauth}
    """
    used = {action.spec.binding for flow in organisation.flows for action in flow.actions}
    for binding in organisation.bindings:
        if binding.spec.name not in used:
            yield binding.found(f"no data action names {binding.spec.name}; name it or remove it")


@rule("GC307", "implicit-user-context", severity="warning")
def implicit_user_context(flow: Flow) -> Iterator[Found]:
    """A data action calls the platform's API, and nothing says as whom.

    Why: it then runs with the rights of whoever published the flow or
    triggered it. It works for one editor and fails for the next, or reads
    what callers' flows should never see.

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


def _is_secret(path: str, text: str) -> bool:
    if path == "auth/client_secret_variable":
        literal = without_references(text).strip()
        return bool(literal) and not _VARIABLE.fullmatch(literal)
    return (
        text == REMOVED
        or any(secrets_in(path, text))
        or holds_random_word(without_references(text))
    )


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


def _signings(organisation: Organisation) -> Iterator[tuple[Binding | Action, int | None]]:
    """What holds auth settings, with the declared lifetime of its token in seconds.

    Bindings, each once however many actions name it; live, the data actions.
    """
    for binding in organisation.bindings:
        yield binding, binding.spec.token_lifetime_s
    for flow in organisation.flows if organisation.is_live else ():
        for action in flow.actions:
            declared = organisation.declared.get(action.spec.binding or "")
            yield action, declared.token_lifetime_s if declared else None


def _scopes(value: JSON) -> list[str]:
    """Scopes as a list, or as the one text with blanks that OAuth itself writes (RFC 6749, 3.3)."""
    if isinstance(value, str):
        return value.split()
    return [scope for scope in value if isinstance(scope, str)] if isinstance(value, tuple) else []


def _is_broad(scope: str) -> bool:
    plain = scope.lower().replace(".", ":").replace("/", ":")
    return plain in BROAD_SCOPES or plain.endswith(":*")
