"""The checks, in the order in which an author meets them."""

from __future__ import annotations

from ferris_beam.testing import (
    endpoint_checks,
    sink_commit_checks,
    sink_ledger_checks,
    sink_row_checks,
    source_life_checks,
    source_pushdown_checks,
    source_reading_checks,
)
from ferris_beam.testing.cases import SinkCase, SourceCase
from ferris_beam.testing.checks import Check

SOURCE_CHECKS: tuple[Check[SourceCase], ...] = tuple(
    map(
        Check.of,
        (
            endpoint_checks.the_declaration_is_complete,
            endpoint_checks.making_it_touches_nothing,
            source_reading_checks.batches_have_the_announced_schema,
            source_reading_checks.splits_cover_everything_once,
            source_reading_checks.splits_are_the_same_in_every_process,
            source_reading_checks.chunks_cover_their_interval,
            source_reading_checks.intervals_read_again_are_equal,
            source_reading_checks.ordered_units_keep_their_order,
            source_reading_checks.a_changed_unit_is_noticed,
            source_pushdown_checks.pushdown_and_residual_are_a_filter,
            source_life_checks.readers_travel_by_pickle,
            source_life_checks.readers_close_at_any_time,
            source_life_checks.rejects_tell_where_and_why,
            source_life_checks.endless_units_return_when_idle,
            source_life_checks.the_backlog_shrinks_to_nothing,
            source_life_checks.source_secrets_stay_secret,
            source_life_checks.source_failures_are_of_our_kinds,
        ),
    )
)

SINK_CHECKS: tuple[Check[SinkCase], ...] = (
    *map(
        Check.of,
        (
            endpoint_checks.the_declaration_is_complete,
            endpoint_checks.making_it_touches_nothing,
            sink_commit_checks.committed_rows_are_visible_once,
            sink_commit_checks.staged_rows_are_not_visible,
            sink_ledger_checks.the_ledger_remembers,
            sink_ledger_checks.repeats_are_refused,
            sink_ledger_checks.empty_commits_are_progress,
            sink_ledger_checks.changed_units_are_refused,
            sink_ledger_checks.ordered_units_stay_in_order,
            sink_ledger_checks.older_runs_are_superseded,
            sink_ledger_checks.claims_are_repeatable,
            sink_ledger_checks.a_new_generation_forgets_progress,
            sink_ledger_checks.finishing_is_repeatable,
            sink_ledger_checks.waiting_rows_stay_hidden,
            sink_commit_checks.a_refused_commit_leaves_nothing,
            sink_commit_checks.a_failed_commit_can_be_repeated,
            sink_commit_checks.a_crash_before_the_commit_loses_nothing,
            sink_commit_checks.a_crash_after_the_commit_repeats_nothing,
            sink_commit_checks.a_lost_answer_is_no_second_commit,
            sink_commit_checks.two_writers_share_the_sink,
            sink_commit_checks.writers_travel_by_pickle,
            sink_row_checks.bad_rows_are_found,
            sink_row_checks.writers_close_at_any_time,
            sink_row_checks.sink_secrets_stay_secret,
            sink_row_checks.sink_failures_are_of_our_kinds,
        ),
    ),
    *sink_row_checks.type_checks(),
)
