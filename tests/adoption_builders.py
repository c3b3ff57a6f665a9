"""Live organisations to import, ordinary and hostile, and folders to import them into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st
from live_builders import VALUES, data_of, live_document
from template_builders import TEMPLATES

from gcsync.core.exact_json import parse
from gcsync.drivers import config_lens
from gcsync.drivers.action_lens import composed, read_action
from gcsync.drivers.flow_lens import MAPPING, read_snapshot
from gcsync.loader.adopt import draft, whole_draft
from gcsync.loader.christen import NAMELESS, live_names, tellable
from gcsync.loader.deliver import deliver
from gcsync.loader.employ import Uses, using_draft
from gcsync.loader.ground import Ground
from gcsync.loader.manifests import load
from gcsync.loader.settle import settled
from gcsync.model.change import FlowRef, LiveAction, LiveFlow

if TYPE_CHECKING:
    from pathlib import Path

    from gcsync.loader.settle import Settlement

TOKEN: Final = "ghp_" + "a1B2" * 9
"""Looks like an access key wherever it stands."""

NAMES: Final = st.text(max_size=12) | st.sampled_from(
    [
        *("Billing", "billing", "BILLING!", "Straße", "Оплата", "", "..", "../../etc/passwd"),
        *("con", "NUL", "auth", "auth-2", "gcsync", "flow", "on", "no", "010", "12:30", "~", "<<"),
        *("${var.x}", "$${var.x}", "a: b", "# c", "- d", "null", "Lookup (2)", "e\u0301", "\u00e9"),
        *("x\u202ey", "a\x1b[31m", "\n---\nkind: Flow", "p\u0430ypal", TOKEN, "n" * 300),
    ]
)
TEXTS: Final = st.text(max_size=20) | st.sampled_from(
    [
        *(
            "on",
            "010",
            "12:30",
            "null",
            "",
            " x",
            "x ",
            "a\nb",
            "a\nb\n",
            "a\n\n\n",
            "\n",
            "\n a\n b",
        ),
        *(
            "  a\nb",
            "a  \nb",
            "a\tb\n\tc",
            "# a\n# b",
            "---\na: b",
            "a\r\nb",
            "\x85",
            "\u2028",
            "é\n☎",
        ),
        *(
            "${var.x}",
            "$${var.x}\n${var.y}",
            "${input.a}",
            "${Secure.B}",
            "{{x}}",
            "'\"\\",
            "a: b #c",
        ),
        *("password=hunter2", f"Bearer {TOKEN}", TOKEN, "https://u:p@h.example/", "\ud800", "\x00"),
    ]
)
LEGAL: Final[dict[str, tuple[Any, ...]]] = {
    "timeout_ms": (1, 5000, 30000),
    "retry/max_retries": (0, 10),
    "retry/delay_ms": (0, 60000),
    "retry/retry_on": (["429", "5xx"], ["503"]),
    "auth/type": ("oauth2_client_credentials", "platform_credential", "none"),
    "auth/client_id_variable": ("Secure.A", "Secure.B"),
    "auth/client_secret_variable": ("Secure.A", "Secure.B"),
    "auth/token_url": ("https://a.example/t", "https://A.example/", "https://[", "https://é"),
    "auth/scopes": ([], ["read"], ["read", "${var.x}"]),
    "auth/token_cache_s": (540,),
    "auth/credential_id": ("c-1", "c-2"),
    "circuit_breaker/min_interval_ms": (200,),
    "circuit_breaker/error_rate_percent": (5, "@0.5", "@-0.0"),
    "circuit_breaker/window_s": (60,),
    "request/url": ("https://a.example/${input.x}", "/api/v2/users", "${var.x}", "0x1f", "a: b"),
    "request/method": ("GET", "POST"),
    "request/body": ("", "on", "{}", "a\nb\n"),
    "request/max_body_bytes": (0, 4096),
    "response/success_status": ([200], [200, 201]),
    "response/content_type": ("application/json", "text/plain; charset=utf-8"),
    "response/max_age_s": (0, 30),
}
SECRETS: Final = (f"Bearer {TOKEN}", TOKEN, "password=hunter2", "https://u:p@h.example/")
HEADER: Final = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["Accept", "X-Api-Key", "on", "~", TOKEN]) | NAMES,
        "value": st.sampled_from([*SECRETS, "text/html", "${Secure.A}"]) | TEXTS,
    }
)
# Drawn as pairs: a choice for each of twenty settings costs more than all that is tested.
ORDINARY: Final = st.lists(
    st.sampled_from([(path, value) for path, values in LEGAL.items() for value in values]),
    max_size=12,
).map(dict)
OAUTH: Final = {
    "auth/type": "oauth2_client_credentials",
    "auth/client_id_variable": "Secure.A",
    "auth/client_secret_variable": "Secure.B",
    "auth/token_url": "https://a.example/t",
}
AUTHS: Final = st.sampled_from(
    [
        *({}, {}, OAUTH, OAUTH | {"auth/scopes": ["read"]}, OAUTH | {"auth/token_cache_s": -1}),
        OAUTH | {"auth/token_url": "https://a.example/t?token=abcdef123456"},
        {"auth/type": "platform_credential", "auth/credential_id": "c-1"},
    ]
)
# One setting that is anything at all, or a secret, beside others that are as they should be.
ODD: Final = st.dictionaries(
    st.sampled_from([*MAPPING, "request/body", "request/url"]),
    VALUES | TEXTS | st.sampled_from(SECRETS) | st.lists(st.sampled_from(["429", 429, TOKEN])),
    max_size=2,
)
DATA: Final = st.builds(
    lambda settings, auth, odd, headers: data_of(settings | auth | odd) | headers,
    ORDINARY,
    AUTHS,
    ODD,
    st.fixed_dictionaries({}, optional={"headers": st.lists(HEADER, max_size=3)}),
)
ACTION: Final = st.fixed_dictionaries(
    {"type": st.just("data"), "name": st.sampled_from(["Lookup", "Pay"]) | NAMES, "data": DATA},
    optional={"id": st.sampled_from(["a-1", "a-2", "a-3", "a/3", TOKEN])},
)
# Several actions with one and the same data have defaults.
ACTIONS: Final = st.lists(ACTION, max_size=3) | st.builds(
    lambda data: [{"type": "data", "name": name, "data": data} for name in ("A", "b", "on")], DATA
)
TYPES: Final = st.sampled_from(["inboundcall", "inboundchat", "workflow", "strange", "", "a/b"])
FLOWS: Final = st.lists(st.tuples(NAMES, TYPES, ACTIONS), min_size=1, max_size=3)
IDS: Final = ("400cccc2-ffab-1", "400cccc2-ffab-2", "zz", "Ä/../x", TOKEN)

TEMPLATE: Final = TEXTS | TEMPLATES | st.sampled_from(SECRETS)
MAPS: Final = st.dictionaries(NAMES, TEMPLATE, max_size=3)
# Anything at all in one place, and what belongs there in the others.
CONFIG: Final = st.fixed_dictionaries(
    {},
    optional={
        "timeoutSeconds": st.integers(-1, 61) | st.sampled_from([None, "5", 2.5, True]),
        "request": st.fixed_dictionaries(
            {},
            optional={
                "requestUrlTemplate": TEMPLATE | VALUES,
                "requestType": st.sampled_from(["GET", "POST", "get", ""]) | VALUES,
                "requestTemplate": TEMPLATE | VALUES,
                "headers": st.dictionaries(
                    st.sampled_from(["Accept", "X-Api-Key", "on", "~", TOKEN]) | NAMES,
                    TEMPLATE | VALUES,
                    max_size=3,
                ),
            },
        ),
        "response": st.fixed_dictionaries(
            {},
            optional={
                "translationMap": MAPS | VALUES,
                "translationMapDefaults": MAPS,
                "successTemplate": TEMPLATE,
            },
        ),
    },
)
DATA_ACTIONS: Final = st.lists(
    st.tuples(
        st.sampled_from(["Lookup", "lookup"]) | NAMES,
        st.sampled_from(["CRM", "crm"]) | NAMES,
        TEXTS | VALUES,
        CONFIG,
    ),
    min_size=1,
    max_size=4,
)

PROPERTY: Final = (
    TEXTS
    | VALUES
    | st.sampled_from(SECRETS)
    | st.lists(TEXTS | st.integers() | st.sampled_from(SECRETS), max_size=2)
)
INTEGRATIONS: Final = st.lists(
    st.tuples(
        st.sampled_from(["CRM", "crm"]) | NAMES,
        st.sampled_from(["ENABLED", "DISABLED", "DELETED", None]),
        st.none() | TEXTS | st.sampled_from(SECRETS),
        st.dictionaries(NAMES | st.sampled_from(["on", "apiKey", TOKEN]), PROPERTY, max_size=4),
        st.dictionaries(
            st.sampled_from(["basicAuth", "a b", TOKEN]), st.sampled_from(["c-1", "c-2", "c-9"])
        ),
        st.dictionaries(
            st.sampled_from(["c-1", "c-2", "c-3"]),
            st.sampled_from(["A", "A (c-1)", TOKEN]) | NAMES,
        ),
    ),
    min_size=1,
    max_size=4,
)

Live = list[tuple[LiveFlow, tuple[LiveAction, ...]]]


def organisation(flows: list[tuple[str, str, list[dict[str, Any]]]]) -> Live:
    """The flows as a driver would tell of them; the first ids are alike, others odd."""
    live: Live = []
    for flow_id, (name, kind, steps) in zip(IDS, flows, strict=False):
        body = live_document({"name": name, "type": kind, "actions": steps}, flow_id=flow_id)
        snapshot = read_snapshot(FlowRef(address="flow/x", id=flow_id), body, '"1"')
        live.append((LiveFlow(id=flow_id, name=name, type=kind), snapshot.actions))
    return live


def data_actions(drawn: list[tuple[str, str, Any, dict[str, Any]]]) -> Live:
    """The same of data actions of the public API: name, integration, category, configuration."""
    live: Live = []
    for live_id, (name, integration, category, config) in zip(IDS, drawn, strict=False):
        ref = FlowRef(address="dataaction/x", id=live_id)
        answer = {"id": live_id, "name": name, "category": category, "config": config, "version": 1}
        text = live_document(answer, flow_id=live_id)
        snapshot = read_action(ref, composed(ref, parse(text), {}))
        live.append((LiveFlow(id=live_id, name=name, type=integration), snapshot.actions))
    return live


def integrations(drawn: list[tuple[str, Any, Any, Any, Any, Any]]) -> Live:
    """The same of integrations: name, state, notes, properties, credentials and their names."""
    live: Live = []
    for live_id, each in zip(IDS, drawn, strict=False):
        name, state, notes, properties, credentials, names = each
        ref = FlowRef(address="integration/x", id=live_id)
        config = {
            "version": 1,
            "notes": notes,
            "properties": properties,
            "credentials": {kind: {"id": one} for kind, one in credentials.items()},
        }
        told = parse(live_document(config, flow_id=live_id))
        body = config_lens.composed(ref, {"intendedState": state}, told, names)
        snapshot = config_lens.read_config(ref, body)
        live.append((LiveFlow(id=live_id, name=name, type=""), snapshot.actions))
    return live


def imported(live: Live, root: Path, *, is_forced: bool = False, kind: str = "flow") -> Settlement:
    """Import *live* into ``manifests`` below *root*, as the command does."""
    manifests = load(None, root=root, may_be_empty=True)
    ground = Ground(root / "manifests", manifests, root=root, is_forced=is_forced, kind=kind)
    listing = [flow for flow, _ in live]
    managing = {flow.id: ground.managing(flow) for flow in listing}
    known = {live_id: specs[0].name for live_id, specs in managing.items() if specs}
    taken = {spec.name for spec in ground.specs}
    names = live_names(listing, known=known, taken=taken, nameless=NAMELESS[kind])
    told = tellable(listing, kind)
    drafts = [
        draft(flow, held)
        if kind == "flow"
        else whole_draft(flow, held[0], is_told=flow.id in told, kind=kind)
        for flow, held in live
        if is_forced or flow.id not in known
    ]
    settlement = settled(drafts, names, {flow.id: held for flow, held in live}, ground)
    deliver(settlement.files)
    return settlement


PUBLIC_FLOWS: Final = st.lists(
    st.tuples(NAMES, TYPES, st.lists(st.sampled_from([*IDS, "unseen"]), unique=True, min_size=1)),
    min_size=1,
    max_size=4,
)
Using = list[tuple[LiveFlow, tuple[str, ...]]]


def using(drawn: list[tuple[str, str, list[str]]]) -> Using:
    """Flows of the public API, each with the ids of the data actions that it uses."""
    return [
        (LiveFlow(id=flow_id, name=name, type=kind, version="1.0"), tuple(ids))
        for flow_id, (name, kind, ids) in zip(IDS, drawn, strict=False)
    ]


def uses_of(flows: Using, actions: list[LiveFlow], root: Path, **facts: Any) -> Settlement:
    """Import *flows* into ``manifests`` below *root*, as the command does with *actions* live."""
    manifests = load(None, root=root, may_be_empty=True)
    ground = Ground(root / "manifests", manifests, root=root, **facts)
    listing = [flow for flow, _ in flows]
    known = {flow.id: specs[0].name for flow in listing if (specs := ground.managing(flow))}
    names = live_names(listing, known=known, taken={spec.name for spec in ground.specs})
    told, seen = tellable(listing, "flow"), Uses(actions)
    drafts = [
        using_draft(flow, seen.of(ids), is_told=flow.id in told)
        for flow, ids in flows
        if ground.is_forced or flow.id not in known
    ]
    settlement = settled(drafts, names, {}, ground, data_actions=manifests.data_actions)
    deliver(settlement.files)
    return settlement
