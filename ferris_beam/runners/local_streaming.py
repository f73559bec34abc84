"""The in-process streaming runner: the one place that rests on Beam's BundleBasedDirectRunner.

That runner of Beam keeps watermarks, windows, triggers, state and timers live in this process, but
two of its steps don't fit: splittable DoFns lose their watermark and their delays (it reads them
through a state machine of its own), and a DoFn is pickled, set up and torn down for each bundle.
Both are replaced here; grouping, state, timers and side inputs are Beam's.

These are parts that Beam may remove. All that is taken from them is imported in this module, for
Beam 2.77; where they are gone, `available` says so, and Prism takes over.
"""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Iterable
from typing import Any

from apache_beam import coders
from apache_beam.internal import pickler
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.pvalue import PCollection
from apache_beam.runners import common
from apache_beam.transforms import core
from apache_beam.transforms.userstate import is_stateful_dofn
from apache_beam.utils.timestamp import MAX_TIMESTAMP, Timestamp

from ferris_beam.runners.features import Feature, features_of

try:
    from apache_beam.runners.direct import direct_runner, sdf_direct_runner
    from apache_beam.runners.direct.bundle_factory import BundleFactory
    from apache_beam.runners.direct.clock import RealClock
    from apache_beam.runners.direct.consumer_tracking_pipeline_visitor import (
        ConsumerTrackingPipelineVisitor,
    )
    from apache_beam.runners.direct.direct_userstate import DirectUserStateContext
    from apache_beam.runners.direct.evaluation_context import EvaluationContext
    from apache_beam.runners.direct.executor import _ExecutorServiceParallelExecutor
    from apache_beam.runners.direct.transform_evaluator import (
        TransformEvaluatorRegistry,
        _TaggedReceivers,
        _TransformEvaluator,
    )
    from apache_beam.runners.direct.util import TransformResult
except ImportError:  # a Beam without this runner
    available = False
else:
    available = True

_IDLE_SECONDS = 0.01
"""How long a source that has nothing due holds up the other steps."""

_POLL_SECONDS = 0.02

if available:

    class LocalStreamingRunner(direct_runner.BundleBasedDirectRunner):
        """Runs a pipeline, bounded or not, in one thread of this process."""

        def run_pipeline(self, pipeline: Any, options: PipelineOptions) -> Any:
            if Feature.ENDLESS_SIDE_INPUT in features_of(pipeline):  # Beam's executor dies of them
                raise NotImplementedError("side inputs that never end")
            options.view_as(StandardOptions).streaming = True
            pipeline.replace_all(_overrides(options))
            graph = ConsumerTrackingPipelineVisitor()
            pipeline.visit(graph)
            context = _Context(
                options,
                BundleFactory(stacked=False),
                graph.root_transforms,
                graph.value_to_consumers,
                graph.step_names,
                graph.views,
                RealClock(),
            )
            steps = _Steps(context)
            executor = _Executor(graph.value_to_consumers, steps, context)
            executor.start(graph.root_transforms)
            return _Result(executor, context, steps)

    def _overrides(options: PipelineOptions) -> list[Any]:
        """Beam's, without those that would take splittable DoFns apart."""
        left_out = (
            sdf_direct_runner.SplittableParDoOverride,
            sdf_direct_runner.ProcessKeyedElementsViaKeyedWorkItemsOverride,
        )
        found = direct_runner._get_transform_overrides(options)
        return [override for override in found if not isinstance(override, left_out)]

    class _Context(EvaluationContext):
        """Beam's looks at the first output of a step only, and takes it for all of them."""

        def _update_side_inputs_container(self, bundles: Iterable[Any], result: Any) -> None:
            for bundle in bundles:
                for view in self._pcollection_to_views.get(bundle.pcollection, ()):
                    values = bundle.get_elements_iterable(make_copy=True)
                    self._side_inputs_container.add_values(view, values)

    class _Executor(_ExecutorServiceParallelExecutor):
        """Steps that aren't roots may have work of their own, too."""

        def schedule_unprocessed_bundle(self, applied: Any, bundle: Any) -> None:
            self.node_to_pending_bundles.setdefault(applied, []).append(bundle)

        def await_completion(self) -> None:
            update = self.visible_updates.poll()
            while update is None and all(each.is_alive() for each in self.executor_service.workers):
                time.sleep(_POLL_SECONDS)
                update = self.visible_updates.poll()
            self.shutdown()
            if update is None:
                raise RuntimeError("the runner's own thread failed; its traceback tells why")
            if update.exception:
                raise _raisable(update.exception)

        def shutdown(self) -> None:
            self.executor_service.shutdown()
            for _ in self.executor_service.workers:
                self.executor_service.queue.put(None)  # else they wait seconds for another task
            self.executor_service.await_completion()

    class _Result(direct_runner.DirectPipelineResult):
        def __init__(self, executor: Any, context: Any, steps: _Steps) -> None:
            super().__init__(executor, context)
            self._steps = steps

        def wait_until_finish(self, duration: Any = None) -> Any:
            try:
                return super().wait_until_finish(duration)
            finally:
                self._steps.teardown()

        def cancel(self) -> None:
            super().cancel()
            self._steps.teardown()

    class _Steps(TransformEvaluatorRegistry):
        """Which evaluator runs a step. Those of DoFns find them as the last bundle left them."""

        def __init__(self, context: Any) -> None:
            super().__init__(context)
            self._warm: dict[Any, _Step] = {}
            self._serial: dict[Any, bool] = {}

        def get_evaluator(self, applied: Any, bundle: Any, side_inputs: Any) -> Any:
            transform = applied.transform
            grouping = isinstance(transform, direct_runner._GroupAlsoByWindow)
            if not isinstance(transform, core.ParDo) or grouping or side_inputs:
                return super().get_evaluator(applied, bundle, side_inputs)
            kind = _SplittableEvaluator
            if not _is_splittable(transform.dofn):
                kind = _StatefulEvaluator if self._is_stateful(applied) else _WarmEvaluator
            evaluator = kind(self._evaluation_context, applied, bundle, side_inputs)
            evaluator.step = self._step(applied)
            return evaluator

        def should_execute_serially(self, applied: Any) -> bool:
            if applied not in self._serial:  # Beam looks at all methods of a DoFn each time
                self._serial[applied] = super().should_execute_serially(applied)
            return self._serial[applied]

        def _is_stateful(self, applied: Any) -> bool:
            return self.should_execute_serially(applied)

        def _step(self, applied: Any) -> _Step:
            found = self._warm.get(applied)
            if found is None:
                found = self._warm[applied] = _Step(applied, self._evaluation_context)
            return found

        def teardown(self) -> None:
            steps, self._warm = self._warm, {}
            for step in steps.values():
                step.teardown()

    class _Outlet(common.Receiver):
        """One output of a step, put into the bundle at hand."""

        bundle: Any = None

        def receive(self, element: Any) -> None:
            self.bundle.output(element)

    class _Step:
        """A DoFn that is set up once. ``work`` are the restrictions of a splittable one that are
        still to be read: when they are due, a number, their watermark, and they themselves."""

        def __init__(self, applied: Any, context: Any) -> None:
            transform = applied.transform
            self.dofn = pickler.roundtrip(transform.dofn)
            self.outlets = {tag: _Outlet() for tag in applied.outputs}
            self.state = _state_of(applied, self.dofn)
            receivers = _TaggedReceivers(context)
            receivers.update(self.outlets)
            self.runner = common.DoFnRunner(
                self.dofn,
                getattr(transform, "args", []),
                getattr(transform, "kwargs", {}),
                [],
                applied.inputs[0].windowing,
                tagged_receivers=receivers,
                step_name=applied.full_label,
                state=None,
                user_state_context=self.state,
            )
            self.ready = False
            self.failure: BaseException | None = None
            self.work: list[tuple[float, int, Timestamp, Any]] = []
            self.numbers = itertools.count()
            self.comes_again = False

        def start(self) -> None:
            """Begins a bundle. A step that failed fails again: nothing is tried a second time,
            since connectors have done so, and sinks may hold half a bundle."""
            if self.failure is not None:
                raise self.failure
            if not self.ready:
                self.runner.setup()
                self.ready = True
            self.runner.start()

        def teardown(self) -> None:
            if self.ready:
                self.ready = False
                self.runner.teardown()

        def add(self, residual: Any, watermark: Timestamp, due: float) -> None:
            heapq.heappush(self.work, (due, next(self.numbers), watermark, residual))

        @property
        def watermark(self) -> Timestamp:
            return min((mark for _, _, mark, _ in self.work), default=MAX_TIMESTAMP)

    class _StepEvaluator(_TransformEvaluator):
        step: _Step

        def _new_bundles(self) -> list[Any]:
            bundles = []
            for tag, outlet in self.step.outlets.items():
                pcollection = PCollection(None, tag=tag)
                pcollection.producer = self._applied_ptransform
                outlet.bundle = self._evaluation_context.create_bundle(pcollection)
                outlet.bundle.tag = tag
                bundles.append(outlet.bundle)
            return bundles

        def _guarded(self, action: Any, *arguments: Any) -> Any:
            try:
                return action(*arguments)
            except BaseException as error:
                self.step.failure = error
                raise

    class _WarmEvaluator(_StepEvaluator):
        """A bundle of a DoFn without state and side inputs."""

        def start_bundle(self) -> None:
            self._bundles = self._new_bundles()
            self._guarded(self.step.start)

        def process_element(self, element: Any) -> None:
            self._guarded(self.step.runner.process, element)

        def finish_bundle(self) -> Any:
            self._guarded(self.step.runner.finish)
            return TransformResult(self, self._bundles, [], None, None)

    class _StatefulEvaluator(_WarmEvaluator):
        """A bundle of a DoFn with state and timers, which Beam keeps by key."""

        def start_bundle(self) -> None:
            self.step.state.step_context = self._step_context
            super().start_bundle()

        def process_timer(self, firing: Any) -> None:
            state = self.step.state
            specs = {f"user/{spec.name}": spec for spec in state.all_timer_specs}
            self._guarded(
                self.step.runner.process_user_timer,
                specs[firing.name],
                state.key_coder.decode(firing.encoded_key),
                firing.window,
                firing.timestamp,
                None,
                firing.dynamic_timer_tag,
            )

        def finish_bundle(self) -> Any:
            result = super().finish_bundle()
            self.step.state.commit()
            self.step.state.reset()
            return result

    def _state_of(applied: Any, dofn: Any) -> Any:
        """What gives a DoFn its state and timers; None: it has none."""
        if not is_stateful_dofn(dofn):
            return None
        coder = coders.registry.get_coder(applied.inputs[0].element_type or Any)
        return DirectUserStateContext(None, dofn, coder.key_coder())

    class _SplittableEvaluator(_StepEvaluator):
        """A turn of a splittable DoFn: one restriction that is due, until it ends or defers.

        The rest is a bundle without elements, which the runner brings again when all that was read
        has gone through the other steps; until then a hold keeps the watermark.
        """

        def start_bundle(self) -> None:
            step = self.step
            self._bundles = self._new_bundles()
            self._is_return = step.comes_again and not self._input_committed_bundle.has_elements()
            if self._is_return:
                step.comes_again = False

        def process_element(self, element: Any) -> None:
            self._guarded(self._take, element)

        def _take(self, element: Any) -> None:
            signature = common.DoFnSignature(self.step.dofn)
            restrictions = signature.get_restriction_provider()
            watermarks = signature.get_watermark_estimator_provider()
            value = element.value
            for part in restrictions.split(value, restrictions.initial_restriction(value)):
                sized = ((value, (part, watermarks.initial_estimator_state(value, part))), 0)
                self.step.add(element.with_value(sized), element.timestamp, 0.0)

        def finish_bundle(self) -> Any:
            step = self.step
            if step.failure is not None:  # the runner tries again, and the turn's work is gone
                raise step.failure
            if step.work:
                self._guarded(self._turn)
            again = []
            if step.work and not step.comes_again:
                step.comes_again = True
                again.append(
                    self._evaluation_context.create_bundle(self._applied_ptransform.inputs[0])
                )
            return TransformResult(self, self._bundles, again, None, {None: step.watermark})

        def _turn(self) -> None:
            step = self.step
            left = step.work[0][0] - time.time()
            if left > 0:
                time.sleep(min(left, _IDLE_SECONDS))
                return
            _, _, before, element = heapq.heappop(step.work)
            step.start()
            residuals = step.runner.process_with_sized_restriction(element)
            step.runner.finish()
            for residual in residuals or ():
                reached = residual.current_watermark
                step.add(
                    residual.residual_value,
                    before if reached is None else max(before, reached),
                    _due(residual.deferred_timestamp),
                )


def _due(deferred: Any) -> float:
    """When deferred work is to go on, in seconds since 1970: a delay, or a point in time."""
    if deferred is None:
        return 0.0
    if isinstance(deferred, Timestamp):
        return deferred.micros / 1e6
    return time.time() + deferred.micros / 1e6


def _is_splittable(dofn: Any) -> bool:
    return bool(common.DoFnSignature(dofn).is_splittable_dofn())


def _raisable(error: Any) -> BaseException:
    """Beam's executor reports a stall as a tuple."""
    if isinstance(error, Iterable):
        error = next(iter(error))
    return error if isinstance(error, BaseException) else RuntimeError(str(error))
