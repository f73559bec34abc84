"""Pipeline options whose views are made once."""

from __future__ import annotations

from typing import Any, TypeVar

from apache_beam.options.pipeline_options import PipelineOptions

_View = TypeVar("_View", bound=PipelineOptions)
_VIEWS = "_views"


class CachedViews(PipelineOptions):
    """Options as any others, but asked twice for the same view they give the same one.

    Beam builds an argument parser for each view, and asks for some 200 of them while it builds and
    starts one small pipeline: a fifth of the time until the first row. All views share their
    values, so that it makes no difference which of them is asked or set.
    """

    @classmethod
    def of(cls, options: PipelineOptions) -> CachedViews:
        """The same options: what is set in one is set in the other."""
        cached = cls.__new__(cls)
        cached.__dict__.update(options.__dict__)
        return cached

    def view_as(self, cls: type[_View]) -> _View:
        views: dict[type[PipelineOptions], Any] = self.__dict__.setdefault(_VIEWS, {})
        if cls not in views:
            views[cls] = super().view_as(cls)
        found: _View = views[cls]
        return found

    def __getstate__(self) -> dict[str, Any]:
        """Copies share no values with the original, so they have views of their own."""
        state = super().__getstate__()
        return {name: value for name, value in state.items() if name != _VIEWS}
