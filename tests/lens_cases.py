"""The lenses onto the public API, each with answers and changes to hold its laws against."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from builders import field
from hypothesis import strategies as st

from gcsync.core.exact_json import parse
from gcsync.core.rebase import live_value
from gcsync.drivers import action_amend, action_lens, config_lens
from gcsync.model.change import FlowRef

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gcsync.model.change import FieldChange, Snapshot

ACTION_ID = "custom_-_1"
ACTION = FlowRef(address="dataaction/lookup", id=ACTION_ID, name="Lookup")
INTEGRATION = FlowRef(address="integration/crm", id="i-crm", name="CRM")
NAMES = {"c-1": "CRM 1", "c-2": "CRM 2", "c-3": "Twin", "c-4": "Twin", "c-5": "☎ (c-9)"}
CALLED = ["CRM 1", "CRM 2", "Twin (c-3)", "Twin (c-4)", "☎ (c-9)"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lens:
    """One lens: *answers* are snapshots, *desired* what a setting is changed to.

    *unnamed* yields what of a parsed document no change of these fields is
    about, in order.
    """

    name: str
    ref: FlowRef
    answers: st.SearchStrategy[Snapshot]
    settings: Sequence[str]
    desired: Callable[[str], st.SearchStrategy[Any]]
    read: Callable[[FlowRef, bytes], Snapshot]
    amended: Callable[[Snapshot, Sequence[FieldChange]], bytes]
    as_found: Callable[[Snapshot, Sequence[FieldChange]], tuple[FieldChange, ...]]
    unnamed: Callable[[Any, Sequence[FieldChange]], Iterator[Any]]

    def changes(self) -> st.SearchStrategy[tuple[Snapshot, list[FieldChange]]]:
        """A snapshot, and one to five changes of it."""

        @st.composite
        def drawn(draw: st.DrawFn) -> tuple[Snapshot, list[FieldChange]]:
            snapshot = draw(self.answers)
            some = st.lists(st.sampled_from(self.settings), min_size=1, max_size=5, unique=True)
            return snapshot, [
                field(
                    "",
                    setting,
                    before=live_value(snapshot.actions[0], setting),
                    after=draw(self.desired(setting)),
                )
                for setting in draw(some)
            ]

        return drawn()


def members(**kinds: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """An object of some of these members, each already JSON."""
    return st.fixed_dictionaries({}, optional=kinds).map(
        lambda held: "{" + ",".join(f"{json.dumps(key)}:{text}" for key, text in held.items()) + "}"
    )


def numerals(body: bytes) -> Any:
    """A JSON value in which 1.10 and 1.1 are two numbers."""

    def numeral(literal: str) -> tuple[str, object]:
        return "number", Decimal(literal).as_tuple()

    return json.loads(body, parse_float=numeral, parse_int=numeral)


# Data actions.

HEADERS = ("request/headers/X-Trace", "request/headers/Accept")
ACTION_SETTINGS = (*action_lens.MAPPING, *HEADERS)
TEXTS = st.sampled_from(
    ["", "POST", '{"id": "$!{input.id}"}\r\n', "☎ \u202e\x00\t", "\ufeff#set($x = 1)\n\n"]
)
MAPS = st.dictionaries(st.sampled_from(["name", "a/b", "~"]), TEXTS, max_size=2)
NUMBERS = st.sampled_from(["0", "-0.0", "1", "5.0", "50e-1", "6e1", "60", "null"])
OTHERS = st.sampled_from(["null", "1.10", "1E400", '"☎"', '{"b":1e2,"a":[]}'])
HELD = st.sampled_from(
    ["null", "{}", '{"x-trace":"on"}', '{"X-TRACE":5.0,"b":"1"}', '{"accept":null,"X":"2"}']
)
SECONDS = st.integers(1, 60).map(lambda seconds: seconds * 1000)


def live_action(rest: str, *, action_id: str = ACTION_ID) -> Snapshot:
    """A data action that says *rest*, members as JSON, beside its version."""
    ref = replace(ACTION, id=action_id)
    answer = parse(f'{{"id":"{action_id}","name":"Lookup","version":7,{rest}}}')
    return action_lens.read_action(ref, action_lens.composed(ref, answer, {}))


def _action_answers() -> st.SearchStrategy[Snapshot]:
    texts, maps = TEXTS.map(json.dumps), MAPS.map(json.dumps)
    return members(
        later=OTHERS,
        timeoutSeconds=NUMBERS,
        request=st.just("null")
        | members(
            requestUrlTemplate=texts,
            requestTemplate=texts | st.just("null"),
            requestType=texts,
            headers=HELD,
            other=OTHERS,
        ),
        response=members(
            translationMap=maps | st.just("null"),
            successTemplate=texts,
            zother=OTHERS,
            another=OTHERS,
        ),
    ).map(lambda config: live_action(f'"category":"CRM","config":{config}'))


ACTION_ANSWERS = _action_answers()


def _action_desired(setting: str) -> st.SearchStrategy[Any]:
    if setting == "timeout_ms":
        return SECONDS
    return MAPS if "translation_map" in setting else TEXTS


def _action_unnamed(document: Any, fields: Sequence[FieldChange]) -> Iterator[Any]:
    mapping = action_lens.MAPPING
    named = {mapping[one.setting] for one in fields if one.setting in mapping}
    headers = {one.setting.rpartition("/")[2].lower() for one in fields if one.setting in HEADERS}

    def below(node: Any, path: tuple[str, ...]) -> Iterator[Any]:
        if path in named or (path[:3] == ("config", "request", "headers") and not path[3:]):
            kept = [] if path in named else [key for key in node if key.lower() not in headers]
            yield from ((path, key, node[key]) for key in kept)
        elif isinstance(node, dict):
            for key, value in node.items():
                yield from below(value, (*path, key))
        else:
            yield path, node

    return below(document, ())


# Integrations.

INTEGRATION_SETTINGS = (
    "enabled",
    "notes",
    "properties/a",
    "properties/a~1b",
    "properties/☎",
    "credentials/basicAuth",
    "credentials/userDefined",
)
VALUES = st.sampled_from(["null", "1.10", "1E400", "5.0", '"☎\\u0000"', '{"b":1e2,"a":[]}', "[]"])
BOUND = st.sampled_from(["null", *(f'{{"id":"{each}","name":"x","type":{{}}}}' for each in NAMES)])


def live_integration(rest: str, names: dict[str, str] = NAMES, **answer: Any) -> Snapshot:
    """An integration whose configuration says *rest*, an object as JSON, beside its version.

    *answer* is what the integration itself says, enabled where nothing else is said.
    """
    config = {"version": 7, "name": "CRM", **parse(rest)}
    told = {"intendedState": "ENABLED", **answer}
    body = config_lens.composed(INTEGRATION, told, config, names)
    return config_lens.read_config(INTEGRATION, body)


def _integration_answers() -> st.SearchStrategy[Snapshot]:
    config = members(
        later=VALUES,
        notes=st.sampled_from(["null", '""', '"on call\\r\\n"']),
        properties=st.just("null") | members(**{"a": VALUES, "a/b": VALUES, "z": VALUES}),
        advanced=VALUES,
        credentials=st.just("null") | members(basicAuth=BOUND, oauth=BOUND),
    )
    return st.builds(
        lambda rest, state: live_integration(rest, intendedState=state),
        config,
        st.sampled_from(["ENABLED", "DISABLED"]),
    )


def _integration_desired(setting: str) -> st.SearchStrategy[Any]:
    if setting == "enabled":
        return st.booleans()
    if setting.startswith("credentials/"):
        return st.sampled_from(CALLED)
    if setting == "notes":
        return st.sampled_from(["", "☎ \u202e\x00\t"])
    return st.sampled_from(["", "eu", 3, True, Decimal("1.10"), ("x", 2), ()])


def _integration_unnamed(document: Any, fields: Sequence[FieldChange]) -> Iterator[Any]:
    named = {("config", *one.setting.replace("~1", "|").split("/")) for one in fields}
    if ("config", "enabled") in named:
        named.add(("state", "intendedState"))

    def below(node: Any, path: tuple[str, ...]) -> Iterator[Any]:
        if path in named:
            return
        if isinstance(node, dict):
            for key, value in node.items():
                yield from below(value, (*path, key.replace("/", "|")))
        else:
            yield path, node

    return below(document, ())


LENSES = (
    Lens(
        name="data actions",
        ref=ACTION,
        answers=ACTION_ANSWERS,
        settings=ACTION_SETTINGS,
        desired=_action_desired,
        read=action_lens.read_action,
        amended=action_amend.amended,
        as_found=action_amend.as_found,
        unnamed=_action_unnamed,
    ),
    Lens(
        name="integrations",
        ref=INTEGRATION,
        answers=_integration_answers(),
        settings=INTEGRATION_SETTINGS,
        desired=_integration_desired,
        read=config_lens.read_config,
        amended=config_lens.amended,
        as_found=config_lens.as_found,
        unnamed=_integration_unnamed,
    ),
)
