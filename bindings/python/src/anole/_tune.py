# SPDX-License-Identifier: MIT
"""Tuning."""
import contextlib
import dataclasses
from typing import Dict

from ._devices import DeviceList
from ._library import Context, c_text, ffi, lib, new_options, text

_EVENTS = {
    lib.ANOLE_TUNE_PHASE: "phase",
    lib.ANOLE_TUNE_TRIAL: "trial",
    lib.ANOLE_TUNE_TICK: "tick",
}


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far tuning has come; times are seconds, or NaN."""

    event: str  # "phase" has begun, "trial" has ended, or "tick"
    phase: str
    elapsed: float
    time_limit: float
    trials: int
    trial_limit: int
    task: str  # the one in hand
    default_seconds: float
    best_seconds: float


@dataclasses.dataclass(frozen=True)
class Result:
    """What was found for one task; times are seconds, NaN where they are not known."""

    key: str
    label: str
    layer: str
    multiplicity: int
    flops: float
    found: bool
    tie: bool
    knobs: Dict[str, int]
    seconds: float
    low: float
    high: float
    default_seconds: float
    speedup: float
    speedup_low: float
    speedup_high: float
    trials: int
    problem: str
    # Other work got in the way while kernels were timed: for what share of the time, and whether
    # the times are of samples that it disturbed.
    crowding: float
    disturbed: bool
    # A layer in the running network; of what was best alone, where that lost there: alone, and in
    # the network.  And whether other work kept it from being judged there.
    in_place_seconds: float
    alone_seconds: float
    alone_in_place_seconds: float
    in_place_disturbed: bool

    @classmethod
    def _of(cls, info):
        values = {}
        for field in dataclasses.fields(cls):
            if field.name != "knobs":
                value = getattr(info, field.name)
                values[field.name] = text(value) if field.type is str else field.type(value)
        values["knobs"] = {
            text(info.knobs[i].name): info.knobs[i].value for i in range(info.knob_count)
        }
        return cls(**values)


@dataclasses.dataclass(frozen=True)
class InPlace:
    """The network run as a whole, tuned and with default kernels in turn; seconds, or NaN."""

    ran: bool  # else `problem` says why not
    problem: str
    seconds: float
    low: float
    high: float
    default_seconds: float
    default_low: float
    default_high: float
    speedup: float
    speedup_low: float
    speedup_high: float
    sum_seconds: float  # of the tuned layers, each as it was timed alone
    steps: int
    steps_tuned: int
    rounds: int
    disturbed: bool  # by other work, in all rounds that count

    @classmethod
    def _of(cls, info):
        values = {field.name: getattr(info, field.name) for field in dataclasses.fields(cls)}
        values["problem"] = text(info.problem)
        return cls(**values)


class Results(list):
    """A Result for each task; `in_place` is the InPlace of their network."""

    in_place: InPlace


def _progress(event, state):
    current = state.tasks[state.current]
    return Progress(
        event=_EVENTS.get(event, "tick"),
        phase=text(state.phase_text),
        elapsed=state.elapsed,
        time_limit=state.time_limit,
        trials=state.trials,
        trial_limit=state.trial_limit,
        task=text(current.task.label),
        default_seconds=current.default_seconds,
        best_seconds=current.best_seconds,
    )


def shape_words(shapes):
    """{"x": (1, 3, 8, 8)} as the library takes it; keep what is returned alive."""
    words = [
        c_text("%s=%s" % (name, "x".join(str(int(size)) for size in shape)))
        for name, shape in (shapes or {}).items()
    ]
    return words, ffi.new("char *[]", words + [ffi.NULL])


def _load_tasks(context, network, device, batch, shapes, precision):
    words, array = shape_words(shapes)
    precision_word = c_text(precision)
    options = new_options("struct anole_load_options")
    options.precision = precision_word
    options.device = device
    options.batch = batch
    options.shapes = ffi.cast("char const *const *", array)
    options.shape_count = len(words)
    pointer = ffi.new("struct anole_tasks **")
    path = c_text(network)
    context.check(
        lambda error: lib.anole_tasks_load(pointer, context.pointer, path, options, error)
    )
    return ffi.gc(pointer[0], lib.anole_tasks_destroy)


def tune(
    network,
    *,
    device=None,
    threads=0,
    time=0.0,
    trials=0,
    lock=None,
    history=None,
    transfer=(),
    seed=0,
    explorer=None,
    sampler=None,
    precision=None,
    batch=0,
    shapes=None,
    progress=None,
    timing=None,
):
    """Tunes the layers of a network on a device: Results, a Result for each task.

    `time` in seconds and `trials` limit it; with neither, 180 seconds.  What is found is
    written to the file `lock`.  `progress` is called with a Progress; what it raises ends the
    call, as Ctrl-C does: all finished trials are in the file `history` then, if there is one.
    `timing`: "hot" or "cold", what kernels find in the caches; by default, what their network
    leaves there.
    """
    context = Context()
    with contextlib.ExitStack() as stack:
        listed = DeviceList(context, threads)
        stack.callback(ffi.release, listed.pointer)
        chosen = listed.find(device)
        tasks = _load_tasks(context, network, chosen, batch, shapes, precision)
        stack.callback(ffi.release, tasks)

        def take(_, event, state):
            if context.raised is None:
                progress(_progress(event, state))

        callback = context.callback("anole_tune_callback *", take)
        keep = [c_text(word) for word in (explorer, sampler, history, lock, timing)]
        others = [c_text(path) for path in transfer]
        other_array = ffi.new("char *[]", others + [ffi.NULL])
        options = new_options("struct anole_tune_options")
        options.time_limit = time
        options.trial_limit = trials
        options.seed = seed
        options.explorer, options.sampler, options.history_path, options.lock_path = keep[:4]
        options.timing = keep[4]
        options.transfer_paths = ffi.cast("char const *const *", other_array)
        options.transfer_count = len(others)
        options.progress = callback if progress else ffi.NULL
        pointer = ffi.new("struct anole_results **")
        context.check(lambda error: lib.anole_tune(pointer, tasks, chosen, options, error))
        results = ffi.gc(pointer[0], lib.anole_results_destroy)
        stack.callback(ffi.release, results)
        found = Results(
            Result._of(lib.anole_results_get(results, i))
            for i in range(lib.anole_results_count(results))
        )
        found.in_place = InPlace._of(lib.anole_results_in_place(results))
        return found
