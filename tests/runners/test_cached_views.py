"""Options that keep their views are options like any others."""

from __future__ import annotations

import copy
import pickle

import apache_beam as beam
from apache_beam.options.pipeline_options import (
    DirectOptions,
    PipelineOptions,
    StandardOptions,
    TypeOptions,
)

from ferris_beam.runners.cached_views import CachedViews


def test_a_view_is_made_once_and_says_what_the_options_say() -> None:
    plain = PipelineOptions(["--direct_num_workers=3"], streaming=True)
    cached = CachedViews.of(plain)
    assert cached.view_as(TypeOptions) is cached.view_as(TypeOptions)
    assert cached.view_as(DirectOptions).direct_num_workers == 3
    assert cached.view_as(StandardOptions).streaming is True
    assert cached.get_all_options() == plain.get_all_options()


def test_what_is_set_in_one_view_is_set_in_all_and_in_the_options_themselves() -> None:
    plain = PipelineOptions([])
    cached = CachedViews.of(plain)
    before = cached.view_as(StandardOptions)
    plain.view_as(StandardOptions).streaming = True
    assert before.streaming is True
    cached.view_as(DirectOptions).direct_num_workers = 2
    assert plain.view_as(DirectOptions).direct_num_workers == 2


def test_copies_have_values_of_their_own() -> None:
    cached = CachedViews.of(PipelineOptions(["--direct_num_workers=3"]))
    cached.view_as(DirectOptions)
    for other in (copy.deepcopy(cached), pickle.loads(pickle.dumps(cached))):
        other.view_as(DirectOptions).direct_num_workers = 1
        assert cached.view_as(DirectOptions).direct_num_workers == 3
        assert type(other) is CachedViews


def test_a_pipeline_has_such_options_when_it_is_given_them() -> None:
    pipeline = beam.Pipeline(options=CachedViews.of(PipelineOptions(["--no_pipeline_type_check"])))
    assert isinstance(pipeline.options, CachedViews)
    assert pipeline.options.view_as(TypeOptions).pipeline_type_check is False
