"""An organisation of any size for benchmarks, and the manifests for it.

A flow's document is put together when it is first asked for, out of one
template that all share: ten thousand flows of 20 kB cost their ids and names.
Flow *n* depends on the seed and *n* alone.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from gcsync.sandbox.flows import DIVISION, StoredFlow

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TYPES: Mapping[str, str] = {
    "inboundcall": "voice",
    "inboundchat": "chat",
    "inboundshortmessage": "message",
    "inboundemail": "email",
    "workflow": "workflow",
}
"""Flow type -> channel, dealt out in turn."""

ACTIONS = ("LookupCustomer", "GetOpenInvoices", "PlaceOrder", "SendMessage", "GetQueueMetrics")
BYTES_PER_FLOW = 20_000
CHANGED_TIMEOUT_MS = 250  # added to a live timeout where a manifest is to differ
_HOLE = "\u0001"  # JSON text has no control characters, so none can stand there by chance
_SPOKEN = "please hold the line while we look up your account and connect you to an agent"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What tells one generated flow from the others."""

    id: str
    name: str
    type: str
    action_ids: tuple[str, ...]
    timeouts_ms: tuple[int, ...]


def generated(
    size: int, seed: int = 0, *, bytes_per_flow: int = BYTES_PER_FLOW
) -> tuple[StoredFlow, ...]:
    """*size* flows with five data actions of ten settings each; bodies are made on demand."""
    flows = []
    for number in range(size):
        facts = _facts(seed, number)
        body = partial(_body, seed, number, bytes_per_flow)
        flows.append(StoredFlow(id=facts.id, name=facts.name, type=facts.type, body=body))
    return tuple(flows)


def write_manifests(folder: Path, size: int, seed: int = 0, *, changed_share: float = 0.01) -> int:
    """Write one manifest of 2.9 kB for each flow of ``generated(size, seed)``.

    Gives how many of them want one timeout changed: *changed_share* of all,
    chosen by the seed. The others say what is live.
    """
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(f"{seed}/changed")  # noqa: S311  # repeatable on purpose
    changed = set(chance.sample(range(size), round(size * changed_share)))
    for number in range(size):
        text = _manifest(_facts(seed, number), number, change=number in changed)
        (folder / f"flow-{number:05d}.yaml").write_text(text, encoding="utf-8")
    return len(changed)


def _facts(seed: int, number: int) -> _Facts:
    chance = random.Random(f"{seed}/{number}")  # noqa: S311  # repeatable on purpose
    types = tuple(TYPES)
    return _Facts(
        id=_uuid(chance),
        name=f"Generated Flow {number:05d}",
        type=types[number % len(types)],
        action_ids=tuple(_uuid(chance) for _ in ACTIONS),
        timeouts_ms=tuple(250 * chance.randint(6, 40) for _ in ACTIONS),
    )


def _uuid(chance: random.Random) -> str:
    text = f"{chance.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def _body(seed: int, number: int, bytes_per_flow: int) -> bytes:
    facts = _facts(seed, number)
    holes = [facts.id, facts.name, facts.type]
    for action_id, timeout_ms in zip(facts.action_ids, facts.timeouts_ms, strict=True):
        holes += [action_id, str(timeout_ms)]
    pieces = _template(bytes_per_flow)
    text = "".join(piece + hole for piece, hole in zip(pieces, [*holes, ""], strict=True))
    return text.encode()


@lru_cache(maxsize=4)
def _template(size: int) -> tuple[str, ...]:
    """The text between the holes, with prompts enough to make a document of *size* bytes."""
    steps = [_action(name) for name in ACTIONS]
    document = {
        "id": _HOLE,
        "name": _HOLE,
        "type": _HOLE,
        "division": DIVISION,
        "active": True,
        "publishedVersion": {"id": "3.0", "commitVersion": 73786976294838206464},
        "startEvent": {"inputs": []},
        "actions": [_step("Greeting"), steps[0], _branch("Known", [steps[1]])],
        "tasks": [
            {
                "name": "Serve",
                "actions": [_step("Menu"), steps[2]],
                "tasks": [{"name": "Close", "actions": [steps[3], steps[4]]}],
            }
        ],
        "prompts": [],
    }
    filled = document | {"prompts": _prompts(size - len(_compact(document)) - 250)}
    return tuple(_compact(filled).replace(f'"{_HOLE}#"', _HOLE).split(_HOLE))


def _compact(document: Mapping[str, Any]) -> str:
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return text.replace("\\u0001", _HOLE)


def _prompts(size: int) -> list[dict[str, Any]]:
    chance = random.Random(size)  # noqa: S311  # filling
    prompts: list[dict[str, Any]] = []
    while size > 0:
        words = " ".join(chance.choices(_SPOKEN.split(), k=24))
        prompt = {"name": f"Prompt_{len(prompts)}", "tts": words, "speed": 1.1}
        prompts.append(prompt)
        size -= len(_compact(prompt)) + 1
    return prompts


def _step(name: str) -> dict[str, Any]:
    return {"type": "playAudio", "name": name, "position": {"x": 312.5, "y": 120.0}}


def _branch(name: str, steps: list[dict[str, Any]]) -> dict[str, Any]:
    outputs = {"yes": {"actions": steps}, "no": {"actions": [_step("Sorry")]}}
    return {"type": "decision", "name": name, "outputs": outputs}


def _action(name: str) -> dict[str, Any]:
    return {
        "id": _HOLE,
        "type": "data",
        "name": name,
        "data": {
            "category": "Benchmark",
            "url": f"https://api.service.example/v1/{name.lower()}/${{input.key}}",
            "method": "POST",
            "headers": [{"name": "Content-Type", "value": "application/json"}],
            "body": '{"key":"${input.key}"}',
            "maxBodyBytes": 16384,
            "timeout": f"{_HOLE}#",
            "retry": {"maxRetries": 2, "delayMs": 1000, "retryOn": ["429", "5xx"]},
            "auth": {"type": "none"},
            "circuitBreaker": {"minIntervalMs": 200, "errorRatePercent": 5, "windowSeconds": 60},
            "response": {
                "successStatus": [200, 201],
                "contentType": "application/json",
                "translationMap": {"State": "$.state"},
            },
        },
        "outputs": {"failure": {"actions": [_step("Failed")]}},
    }


_HEAD = """\
# yaml-language-server: $schema=https://schemas.example/gcsync/flow.v1.json
# One flow of an organisation that was made for measuring. What stands below is what is live,
# but for the few flows that are to differ; every manifest has the same length, give or take,
# and names ten settings for each of five data actions, so that a run over N of them reads and
# checks 50 N settings. The documents hold a hundred times as much that no manifest names.
# Times are in milliseconds unless their names say otherwise.
apiVersion: gcsync/v1
kind: Flow
metadata:
  name: {slug}
  labels:
    team: benchmark
    channel: {channel}
    tier: standard
  owner: "@acme/benchmark"
spec:
  flow:
    id: {id}
  channel: {channel}
  latency_budget_ms: 60000
  calls_per_minute: 0.01
  wave: 1
  actions:
"""
_ACTION = """\
    {name}:
      timeout_ms: {timeout_ms}
      retry:
        max_retries: 2
        delay_ms: 1000
        retry_on:
          - "429"
          - "5xx"
      circuit_breaker:
        min_interval_ms: 200
        error_rate_percent: 5
        window_s: 60
      request:
        max_body_bytes: 16384
      response:
        success_status:
          - 200
          - 201
        content_type: application/json
"""


def _manifest(facts: _Facts, number: int, *, change: bool) -> str:
    timeouts_ms = list(facts.timeouts_ms)
    if change:
        timeouts_ms[0] += CHANGED_TIMEOUT_MS
    head = _HEAD.format(slug=f"generated-flow-{number:05d}", channel=TYPES[facts.type], id=facts.id)
    actions = (
        _ACTION.format(name=name, timeout_ms=timeout_ms)
        for name, timeout_ms in zip(ACTIONS, timeouts_ms, strict=True)
    )
    return head + "".join(actions)
