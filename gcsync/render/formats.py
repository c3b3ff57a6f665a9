"""The formats a report can be written in; the keys are what ``-o`` takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from gcsync.model.report import Report


class Renderer(Protocol):
    """A report in one format; *colour* and *in_pipeline* concern what people read."""

    def __call__(self, report: Report, *, colour: bool, in_pipeline: bool) -> str:
        """Write *report* out."""


_FORMATS: Final = (
    "text",
    "json",
    "markdown",
    "svg",
    "html",
    "sarif",
    "junit",
    "gitlab",
    "prometheus",
    "github",
    "github-summary",
    "github-output",
)
_MODULES: Final = {"svg": "chart"}
"""Where a format's module is called otherwise."""


class _Renderers(Mapping[str, Renderer]):
    """Loads the module of a format, of which it is the one function, when it is asked for."""

    def __getitem__(self, name: str) -> Renderer:
        if name not in _FORMATS:
            raise KeyError(name)
        function = name.replace("-", "_")
        module = import_module(f"gcsync.render.{_MODULES.get(name, function)}")
        renderer: Renderer = getattr(module, function)
        return renderer

    def __iter__(self) -> Iterator[str]:
        return iter(_FORMATS)

    def __len__(self) -> int:
        return len(_FORMATS)


RENDERERS: Mapping[str, Renderer] = _Renderers()
