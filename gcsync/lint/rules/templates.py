"""GC504 to GC506 and GC604 to GC607: templates and paths that cannot do what they are there for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gcsync.core.diff import HEADERS
from gcsync.core.plan import nearest
from gcsync.lint.json_path import flaw
from gcsync.lint.registry import ALSO_ALONE, PUBLIC_API, rule
from gcsync.lint.template import named, names_set, unclosed_blocks
from gcsync.lint.wording import listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gcsync.lint.subject import Action, Found, Holder
    from gcsync.lint.template import Named

MAP: Final = "response/translation_map"
DEFAULTS: Final = "response/translation_map_defaults"
SUCCESS: Final = "response/success_template"

_SENT: Final = ("request/url", "request/template", "request/body")
_GIVEN: Final = frozenset(
    (
        *("rawResult", "successTemplateUtils", "esc", "json", "input", "credentials"),
        *("authResponse", "foreach", "velocityCount", "velocityHasNext", "velocityRunCount"),
    )
)
"""What a success template may name without anybody having defined it."""

_IDENTIFIER: Final = re.compile(r"[A-Za-z_][\w-]*")
_HOST_FIRST: Final = re.compile(r"[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}(?::\d+|/)")
_NO_HOST: Final = re.compile(r"https?:(?!//)|https?://(?:[/?#:]|$)", re.IGNORECASE)


@rule("GC504", "unclosed-block", severity="error", drivers=ALSO_ALONE)
def unclosed_block(holder: Holder) -> Iterator[Found]:
    """A template opens blocks that it does not end, or ends more than it opens.

    Why: `#if`, `#foreach`, `#define` and `#macro` need an `#end` each.
    Velocity refuses the whole template otherwise, and every call fails before
    anything is sent. Nothing is said of a template with text that is not
    parsed (`#[[`) or signs that are escaped.

    Instead: end each block; where text follows at once, write `#{end}`.

    Example:
        request:
          template: '{"id": "${input.id}" #if("$!{input.note}" != ""), "noted": true #end}'
    """
    for action in holder.actions:
        for path, template in (*_sent(action), *_at(action, SUCCESS)):
            count = unclosed_blocks(template)
            if count:
                more, fewer = ("#if", "#end") if count > 0 else ("#end", "#if")
                yield action.found(
                    f"{action.name} has more {more} than {fewer} in {path}, by {abs(count)}"
                    " (#foreach and the like count as #if); Velocity refuses such a template",
                    path,
                )


@rule("GC505", "unknown-input", severity="warning", drivers=PUBLIC_API)
def unknown_input(holder: Holder) -> Iterator[Found]:
    """A template names an input that the data action does not have.

    Why: what Velocity cannot find it leaves as it is written, so the service
    is sent the text `${input.custmerId}`. The inputs are those of the live
    contract, so with manifests alone nothing is said of them; a contract that
    allows additional properties lets callers other than flows send more.
    `Input` and `INPUT` are a note: Velocity tells upper from lower case, and
    whether the platform does is not documented.

    Instead: name an input of the contract.

    Example:
        request: {url: "https://crm.example/customers/${input.customerId}"}
    """
    for action in holder.actions:
        for path, template in _sent(action):
            names = dict.fromkeys(each for each in named(template) if each.member)
            if capital := [each for each in names if each.root != each.root.lower() == "input"]:
                wrong = tuple(dict.fromkeys(f"{each.root}.{each.member}" for each in capital))
                yield action.found(
                    f"{action.name} names {listed(wrong)} in {path}; write input in lower case",
                    path,
                    severity="note",
                )
            unknown = [each for each in names if each.root == "input" and _is_unknown(action, each)]
            if unknown:
                missing = tuple(dict.fromkeys(f"input.{each.member}" for each in unknown))
                near = nearest(unknown[0].member or "", action.inputs or ())
                yield action.found(
                    f"{action.name} names {listed(missing)} in {path}, which its contract does"
                    f" not have{near}",
                    path,
                )


@rule("GC506", "url-without-host", severity="warning", drivers=PUBLIC_API)
def url_without_host(holder: Holder) -> Iterator[Found]:
    """An address begins with a host and no scheme, or names a scheme and no host.

    Why: `crm.example/v1` is taken for a path of the integration's own, and
    `https:///v1` leads nowhere; either fails with every call. An address that
    begins with a slash or a reference is the integration's to complete.

    Instead: write the address in full.

    Example:
        request: {url: "https://crm.example/v1/customers"}
    """
    for action in holder.actions:
        url = (action.text("request/url") or "").strip()
        if _HOST_FIRST.match(url):
            yield action.found(
                f"{action.name} calls an address without https:// before its host", "request/url"
            )
        elif _NO_HOST.match(url):
            yield action.found(f"{action.name} calls an address without a host", "request/url")


@rule("GC604", "undefined-name", severity="warning", drivers=PUBLIC_API)
def undefined_name(holder: Holder) -> Iterator[Found]:
    """A success template names what the translation map does not define.

    Why: Velocity leaves a name that it cannot find as it is written. The
    result then holds the text `${name}`, or is no JSON at all, and the flow
    takes its failure output though the service has answered. A manifest is
    looked at only where it has both the template and the map.

    Instead: define the name in `translation_map`, or with `#set`.

    Example:
        response:
          translation_map: {name: $.name}
          success_template: '{"name": ${name}}'
    """
    for action, defined, template in _translated(holder):
        own = names_set(template)
        if own is None:
            continue
        known = {*defined, *own, *_GIVEN}
        undefined = dict.fromkeys(
            each.root
            for each in dict.fromkeys(named(template))
            if not each.member and not each.follows and not _is_one_of(known, each.root)
        )
        if undefined:
            near = nearest(next(iter(undefined)), defined)
            yield action.found(
                f"{action.name} names {listed(tuple(undefined))} in its success template, which"
                f" its translation map does not define{near}",
                SUCCESS,
            )


@rule("GC605", "unused-path", severity="note", drivers=PUBLIC_API)
def unused_path(holder: Holder) -> Iterator[Found]:
    """A translation map defines what the success template does not name.

    Why: the value is looked for in every answer and thrown away. Mostly the
    template was changed, or names it otherwise.

    Instead: take it out of `translation_map`, or name it in the template.

    Example:
        response:
          translation_map: {name: $.name}
          success_template: '{"name": ${name}}'
    """
    for action, defined, template in _translated(holder):
        roots = {each.root for each in named(template)}
        longer = [root for root in roots if "-" in root]
        unused = [
            name
            for name in defined
            if _IDENTIFIER.fullmatch(name)
            and name not in roots
            and not any(root.startswith(f"{name}-") for root in longer)
        ]
        if unused:
            yield action.found(
                f"{action.name} defines {listed(tuple(unused))} in its translation map, and its"
                " success template names no such thing",
                MAP,
            )


@rule("GC606", "default-without-path", severity="warning", drivers=PUBLIC_API)
def default_without_path(holder: Holder) -> Iterator[Found]:
    """A default stands for a name that the translation map does not define.

    Why: it never takes effect, and the name that it was meant for has no
    default. Where the answer lacks that value, the success template has none
    either.

    Instead: give both the same name.

    Example:
        response:
          translation_map: {name: $.name}
          translation_map_defaults: {name: '""'}
    """
    for action in holder.actions:
        defined = _table(action, MAP)
        astray = [name for name in _table(action, DEFAULTS) or {} if name not in (defined or {})]
        if defined is not None and astray:
            yield action.found(
                f"{action.name} has a default for {listed(tuple(astray))}, which its translation"
                f" map does not define{nearest(astray[0], defined)}",
                DEFAULTS,
            )


@rule("GC607", "broken-path", severity="warning", drivers=PUBLIC_API)
def broken_path(holder: Holder) -> Iterator[Found]:
    """A path of the translation map is no JSONPath.

    Why: a bracket or a quote that is never closed makes the platform refuse
    the answer as a whole, whatever the service sent. Only what no dialect of
    JSONPath could read is told.

    Instead: mend the path.

    Example:
        response:
          translation_map: {email: "$.emails[?(@.type == 'work')].value"}
    """
    for action in holder.actions:
        for name, path in (_table(action, MAP) or {}).items():
            problem = flaw(path) if isinstance(path, str) else None
            if problem:
                yield action.found(
                    f"{action.name} finds {name} by a path that {problem}: {path}", MAP
                )


def _sent(action: Action) -> Iterator[tuple[str, str]]:
    """What becomes of the inputs: the templates of a request, by path."""
    for path in _SENT:
        yield from _at(action, path)
    for header in action.below(HEADERS):
        yield from _at(action, header.path)


def _at(action: Action, path: str) -> Iterator[tuple[str, str]]:
    text = action.text(path)
    if text is not None:
        yield path, text


def _table(action: Action, path: str) -> dict[str, object] | None:
    value = action.value(path)
    if value is None and action.holder.is_live:
        return {}
    return dict(value) if isinstance(value, dict) else None


def _translated(holder: Holder) -> Iterator[tuple[Action, dict[str, object], str]]:
    """The data actions of which both the success template and what is defined for it are known."""
    for action in holder.actions:
        defined, template = _table(action, MAP), action.text(SUCCESS)
        if defined is not None and template is not None:
            yield action, defined, template


def _is_unknown(action: Action, name: Named) -> bool:
    if action.inputs is None or name.member is None or name.follows == "(":
        return False
    member = name.member
    return (
        member != "rawRequest"
        and not _is_one_of(action.inputs, member)
        # A name of the contract may have dots in it.
        and not any(each.startswith(f"{member}.") for each in action.inputs)
    )


def _is_one_of(names: Iterable[str], given: str) -> bool:
    """Whether *given* is one of *names*; a hyphen may belong to the text behind the name."""
    return any(given == each or given.startswith(f"{each}-") for each in names)
