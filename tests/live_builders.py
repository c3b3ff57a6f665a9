"""Live flow documents to test with: anything at all in the places of settings."""

from __future__ import annotations

import json
from typing import Any, Final

from hypothesis import strategies as st
from template_builders import TEMPLATES

from gcsync.drivers.flow_lens import MAPPING

ODD: Final = ("1e400", "-1e400", str(10**320), "0.5", "-0.0")
"""Numbers that JSON may hold and Python's own types cannot, or not as they are."""

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)
VALUES = (
    st.sampled_from([f"@{number}" for number in ODD])
    | st.sampled_from(["5xx", "429", "POST", "http://a.example", "${input.a}", "Bearer x", "*"])
    | st.integers(0, 10**5)
    | JSON
)


def data_of(settings: dict[str, Any]) -> dict[str, Any]:
    """What a live data action holds: anything at all in the places of settings."""
    data: dict[str, Any] = {}
    for path, value in settings.items():
        *parents, last = MAPPING[path]
        holder = data
        for key in parents:
            holder = holder.setdefault(key, {})
        holder[last] = value
    return data


HEADERS = st.lists(st.fixed_dictionaries({"name": st.text(), "value": VALUES}), max_size=2)
# Each setting on its own, and whole branches of another shape: a retry that is a number.
DATA = st.builds(
    lambda data, body, more: data | body | more,
    st.fixed_dictionaries({}, optional=dict.fromkeys(MAPPING, VALUES)).map(data_of),
    st.fixed_dictionaries({}, optional={"body": TEMPLATES, "headers": HEADERS}),
    st.dictionaries(st.sampled_from(["retry", "auth", "response", "headers"]), VALUES, max_size=1),
)
ACTION = st.fixed_dictionaries(
    {"type": st.just("data"), "name": st.sampled_from(["A", "B", "C"]) | JSON, "data": DATA | JSON},
    optional={"results": st.just({"any": {"variable": "Flow.X"}})},
)
STEPS: Final = st.recursive(
    st.lists(ACTION, max_size=3),
    lambda inner: st.lists(
        ACTION
        | st.fixed_dictionaries({"type": st.just("loop"), "loopCount": JSON, "actions": inner})
        | st.fixed_dictionaries(
            {
                "condition": st.just("Flow.X"),
                "yes": st.fixed_dictionaries({"actions": inner}),
                "no": st.fixed_dictionaries({"actions": inner}),
            }
        ),
        max_size=3,
    ),
    max_leaves=3,
)


def live_document(document: dict[str, Any], *, flow_id: str) -> bytes:
    """The document as bytes, odd numbers as they are meant."""
    text = json.dumps({"id": flow_id, **document})
    for number in ODD:
        text = text.replace(f'"@{number}"', number)
    return text.encode()
