"""Manifests and project folders for tests; each builder takes only what its test is about."""

from __future__ import annotations

from textwrap import dedent, indent
from typing import TYPE_CHECKING

from gcsync.loader.manifests import check, load

if TYPE_CHECKING:
    from pathlib import Path

    from gcsync.model.manifest import Finding, Manifests


def flow(
    name: str = "billing", *, spec: str = "", actions: str = "Lookup: {timeout_ms: 5000}"
) -> str:
    """A valid Flow document; *spec* and *actions* are YAML laid in at their place."""
    return (
        f"apiVersion: gcsync/v1\nkind: Flow\nmetadata: {{name: {name}}}\nspec:\n"
        f"  flow: {{id: id-of-{name}}}\n  channel: voice\n"
        + (indent(dedent(spec).strip("\n"), "  ") + "\n" if spec else "")
        + "  actions:\n"
        + indent(dedent(actions).strip("\n"), "    ")
        + "\n"
    )


def binding(name: str = "crm", *, spec: str = "type: none") -> str:
    """A valid AuthBinding document."""
    return (
        f"apiVersion: gcsync/v1\nkind: AuthBinding\nmetadata: {{name: {name}}}\nspec:\n"
        + indent(dedent(spec).strip("\n"), "  ")
        + "\n"
    )


def data_action(
    name: str = "get-customer",
    *,
    action: str = "{integration: CRM, name: Get Customer}",
    spec: str = "timeout_ms: 5000",
) -> str:
    """A valid DataAction document."""
    return (
        f"apiVersion: gcsync/v1\nkind: DataAction\nmetadata: {{name: {name}}}\nspec:\n"
        f"  action: {action}\n" + indent(dedent(spec).strip("\n"), "  ") + "\n"
    )


def integration(
    name: str = "crm",
    *,
    integration: str = "{name: CRM}",
    spec: str = "credentials: {basicAuth: CRM 2}",
) -> str:
    """A valid Integration document."""
    return (
        f"apiVersion: gcsync/v1\nkind: Integration\nmetadata: {{name: {name}}}\nspec:\n"
        f"  integration: {integration}\n" + indent(dedent(spec).strip("\n"), "  ") + "\n"
    )


def oauth(name: str = "crm") -> str:
    """An AuthBinding with every setting of client credentials."""
    return binding(
        name,
        spec="""
            type: oauth2_client_credentials
            client_id_variable: Secure.Id
            client_secret_variable: Secure.Secret
            token_url: https://auth.crm.example/token
            scopes: [read]
            token_cache_s: 540
        """,
    )


def project(spec: str) -> str:
    """A Project document."""
    return (
        "apiVersion: gcsync/v1\nkind: Project\nmetadata: {name: centre}\nspec:\n"
        + indent(dedent(spec).strip("\n"), "  ")
        + "\n"
    )


def written(root: Path, files: dict[str, str | bytes]) -> Path:
    """*root* with these files in it, by path."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def loaded(root: Path, *documents: str, **files: str) -> Manifests:
    """What a project of one file with these *documents* declares, and of these other *files*."""
    written(root, {"manifests/m.yaml": "---\n".join(documents), **files})
    return load(None, root=root)


def refused(root: Path, *documents: str) -> list[str]:
    """What is said of one file with these *documents*, without its name."""
    written(root, {"manifests/m.yaml": "---\n".join(documents)})
    return [line.removeprefix("manifests/m.yaml:") for line in lines(check(None, root=root))]


def lines(findings: tuple[Finding, ...] | list[Finding]) -> list[str]:
    """Findings as a user sees them."""
    return [str(finding) for finding in findings]


def places(findings: tuple[Finding, ...] | list[Finding]) -> list[tuple[int, int]]:
    """Line and column of each finding that has a place."""
    return [(each.location.line, each.location.column) for each in findings if each.location]


def public_flow(
    name: str = "sales", *, spec: str = "", actions: str = "Lookup: {data_action: get-customer}"
) -> str:
    """A valid Flow document with driver public."""
    return flow(name, spec=f"driver: public\n{dedent(spec)}", actions=actions)
