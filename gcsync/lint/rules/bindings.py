"""GC3, continued: what AuthBindings ask for and keep, and whether anybody names them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gcsync.core.diff import same
from gcsync.lint.registry import rule
from gcsync.lint.subject import Binding
from gcsync.lint.wording import exact, listed
from gcsync.model.manifest import Setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcsync.lint.subject import Action, Found, Organisation
    from gcsync.model.manifest import AuthBinding
    from gcsync.model.value import JSON

BROAD_SCOPES: Final = frozenset(
    (
        *("*", "admin", "administrator", "all", "full", "full_access", "root", "superuser"),
        *("user:write", "users:write", "write:user", "write:users"),
        *("admin:user", "admin:users"),
    )
)
"""Scopes that open everything, or accounts, and by these everything that accounts may do.

Written with colons; services that write dots or slashes mean the same.
"""

BROAD_ENDINGS: Final = (":*", ":admin", ":administrator")
"""What the scopes end in that open all of something."""


@rule(
    "GC304", "long-token-cache", severity="warning", scope="organisation", threshold=540, unit="s"
)
def long_token_cache(organisation: Organisation, limit_s: float) -> Iterator[Found]:
    """A token is kept for long, or for as long as it lives.

    Why: a token that dies in the cache fails the calls of everybody until
    somebody renews it. Many services give ten minutes; nine leave room for
    clocks that differ and for calls under way. And a token that was withdrawn
    keeps working out of the cache.

    Instead: set `token_cache_s` to a minute less than `token_lifetime_s`, and
    to 540 at most (0 keeps no token). Where longer is meant, the AuthBinding
    itself allows it, for the live data actions that name it as well.

    Example:
        kind: AuthBinding
        spec:
          token_cache_s: 540
          token_lifetime_s: 600
    """
    path = "auth/token_cache_s"
    for subject, declared in _signings(organisation, path):
        cache_s = subject.number(path)
        if cache_s is None:
            continue
        lifetime_s = declared.token_lifetime_s if declared else None
        if lifetime_s is not None and cache_s >= lifetime_s:
            reason = f"no less than it lives ({lifetime_s} s)"
        elif cache_s > limit_s:
            reason = f"longer than {exact(limit_s)} s"
        else:
            continue
        message = f"{subject.spec.name} keeps a token for {exact(cache_s)} s, {reason}"
        yield _allowable(subject.found(message, path), declared)


@rule("GC305", "broad-scope", severity="warning", scope="organisation")
def broad_scope(organisation: Organisation) -> Iterator[Found]:
    """A token may do far more than data actions need.

    Why: whoever gets hold of the token, or edits a flow that has it, may do
    all of it. Rights over accounts are rights over everything: a new account
    can be given any. These count, with dots or slashes for colons too: `*`,
    `admin`, `administrator`, `all`, `full`, `full_access`, `root`,
    `superuser`; what ends in `:*`, `:admin` or `:administrator`; `user:write`,
    `write:user` and `admin:user`, of `users` too.

    Instead: ask for the scopes that the data actions use, by name. Where
    several need different ones, give each its own AuthBinding. Where a
    service knows no narrower ones, the AuthBinding itself allows it.

    Example:
        kind: AuthBinding
        spec:
          scopes: [contacts.read]
    """
    path = "auth/scopes"
    for subject, declared in _signings(organisation, path):
        broad = [scope for scope in _scopes(subject.value(path)) if _is_broad(scope)]
        if broad:
            name, asked = subject.spec.name, listed(broad)
            message = f"{name} asks for {asked}, far more than data actions need"
            yield _allowable(subject.found(message, path), declared)


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


def _signings(
    organisation: Organisation, path: str
) -> Iterator[tuple[Binding | Action, AuthBinding | None]]:
    """What may hold the setting under *path*, and the AuthBinding that is behind it.

    Each binding once, however many name it. Live, it is data actions that
    hold settings; where all of a binding hold the same, it stands for them.
    """
    for binding in organisation.bindings:
        yield binding, binding.spec
    if not organisation.is_live:
        return
    holding: dict[str, list[Action]] = {}
    for flow in organisation.flows:
        for action in flow.actions:
            if action.value(path) is not None:
                holding.setdefault(action.spec.binding or "", []).append(action)
    for name, actions in holding.items():
        declared = organisation.declared.get(name)
        value = actions[0].value(path)
        if declared is None or not all(same(value, action.value(path)) for action in actions):
            yield from ((action, declared) for action in actions)
            continue
        places = {setting.path: setting.source for setting in declared.settings}
        live = (Setting(path, value, places.get(path, declared.source)),)
        yield Binding(replace(declared, settings=live), organisation), declared


def _allowable(found: Found, declared: AuthBinding | None) -> Found:
    """The same, so that what the AuthBinding allows holds for the data actions that name it."""
    return replace(found, binding=declared.address) if declared else found


def _scopes(value: JSON) -> list[str]:
    """Scopes as a list, or as the one text with blanks that OAuth itself writes (RFC 6749, 3.3)."""
    if isinstance(value, str):
        return value.split()
    return [scope for scope in value if isinstance(scope, str)] if isinstance(value, tuple) else []


def _is_broad(scope: str) -> bool:
    plain = scope.lower().replace(".", ":").replace("/", ":")
    return plain in BROAD_SCOPES or plain.endswith(BROAD_ENDINGS)
