"""What the command line lays over the manifests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from manifest_builders import flow, lines, project, written

from gcsync.errors import InvalidManifests
from gcsync.loader.manifests import load

if TYPE_CHECKING:
    from pathlib import Path

    from gcsync.model.manifest import Manifests

BASE = {"manifests/base.yaml": flow(spec="calls_per_minute: 5")}


def patch(spec: str, name: str = "billing") -> str:
    return f"apiVersion: gcsync/v1\nkind: Flow\nmetadata: {{name: {name}}}\nspec: {spec}\n"


def laid_over(root: Path, files: dict[str, str | bytes], *overlays: str) -> Manifests:
    written(root, files)
    return load(
        None,
        root=root,
        environment="prod" if "gcsync.yaml" in files else None,
        overlays=[root / name for name in overlays],
    )


def test_a_file_is_laid_over_the_manifests_and_says_only_what_changes(tmp_path: Path) -> None:
    change = patch("{actions: {Lookup: {retry: {max_retries: 1}}}}")

    [laid] = laid_over(tmp_path, BASE | {"if.yaml": change}, "if.yaml").flows

    [lookup] = laid.actions
    assert laid.calls_per_minute == 5
    assert [(each.path, each.value) for each in lookup.settings] == [
        ("retry/max_retries", 1),
        ("timeout_ms", 5000),
    ]
    assert lookup.settings[0].source.file == str(tmp_path / "if.yaml")


def test_the_last_file_wins_over_the_first_and_both_over_an_environment(tmp_path: Path) -> None:
    files = BASE | {
        "gcsync.yaml": project("environments: {prod: {overlays: [prod]}}"),
        "prod/x.yaml": patch("{calls_per_minute: 10, latency_budget_ms: 100, wave: 1}"),
        "one.yaml": patch("{calls_per_minute: 20, latency_budget_ms: 200}"),
        "two.yaml": patch("{calls_per_minute: 30}"),
    }

    [laid] = laid_over(tmp_path, files, "one.yaml", "two.yaml").flows

    assert (laid.calls_per_minute, laid.latency_budget_ms, laid.wave) == (30, 200, 1)


def test_it_can_be_laid_over_what_an_environment_alone_declares(tmp_path: Path) -> None:
    files = BASE | {
        "gcsync.yaml": project("environments: {prod: {overlays: [prod]}}"),
        "prod/x.yaml": flow("own"),
        "if.yaml": patch("{calls_per_minute: 20}", "own"),
    }

    laid = laid_over(tmp_path, files, "if.yaml").flows

    assert [(each.name, each.calls_per_minute) for each in laid] == [("billing", 5), ("own", 20)]


def test_a_file_among_the_manifests_is_laid_over_them_too(tmp_path: Path) -> None:
    files = BASE | {"manifests/if.yaml": patch("{calls_per_minute: 20}")}

    [laid] = laid_over(tmp_path, files, "manifests/if.yaml").flows

    assert laid.calls_per_minute == 20


def test_what_has_nothing_to_lie_on_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    files = BASE | {"if.yaml": patch("{calls_per_minute: 20}", "biling")}

    with pytest.raises(InvalidManifests) as caught:
        laid_over(tmp_path, files, "if.yaml")

    assert lines(caught.value.findings) == [
        (
            f"{tmp_path / 'if.yaml'}:3:18: error: no manifest declares Flow 'biling' to lay this"
            " over (did you mean 'billing'?); correct it [reference]"
        )
    ]


def test_what_is_laid_over_is_checked_like_a_manifest_at_its_own_lines(tmp_path: Path) -> None:
    change = patch("{actions: {Lookup: {timeout_ms: -1}}}")

    with pytest.raises(InvalidManifests) as caught:
        laid_over(tmp_path, BASE | {"if.yaml": change}, "if.yaml")

    [line] = lines(caught.value.findings)
    assert line.startswith(f"{tmp_path / 'if.yaml'}:4:39: error: actions/Lookup/timeout_ms")
