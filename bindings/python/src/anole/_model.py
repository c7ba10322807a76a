# SPDX-License-Identifier: MIT
"""Running."""
import dataclasses
import threading
from typing import Tuple

import numpy as np

from ._devices import Device
from ._library import Context, c_text, ffi, lib, new_options, text
from ._tune import shape_words

_DTYPES = {
    "f16": np.float16,
    "f32": np.float32,
    "f64": np.float64,
    "bf16": np.uint16,  # numpy has no such type: the upper halves of float32
    "i8": np.int8,
    "i16": np.int16,
    "i32": np.int32,
    "i64": np.int64,
    "u8": np.uint8,
    "u16": np.uint16,
    "u32": np.uint32,
    "u64": np.uint64,
    "bool": np.bool_,
}


@dataclasses.dataclass(frozen=True)
class Tensor:
    """An input or output of a network."""

    name: str
    dtype: np.dtype
    shape: Tuple[int, ...]

    @classmethod
    def _of(cls, info):
        return cls(
            text(info.name),
            np.dtype(_DTYPES[text(info.dtype)]),
            tuple(info.dims[i] for i in range(info.rank)),
        )


@dataclasses.dataclass(frozen=True)
class Step:
    """A step of a network, and how it is done: "tuned", "default", "built in" or "host"."""

    layer: str
    op: str
    kind: str
    key: str
    problem: str
    tuned_seconds: float

    @classmethod
    def _of(cls, info):
        return cls(
            text(info.layer),
            text(info.op),
            text(info.kind),
            text(info.key),
            text(info.problem),
            info.tuned_seconds,
        )


@dataclasses.dataclass(frozen=True)
class Latency:
    """Seconds of a run: the median, its 95 % interval, and the least."""

    median: float
    low: float
    high: float
    minimum: float
    runs: int


def _known_inputs(known):
    """An array of struct anole_known_input, and what it refers to."""
    names = {np.dtype(kind): name for name, kind in _DTYPES.items() if name != "bf16"}
    inputs = ffi.new("struct anole_known_input[]", len(known or {}))
    keep = []
    for item, (name, value) in zip(inputs, (known or {}).items()):
        array = np.asarray(value, order="C")
        if array.dtype not in names:
            raise ValueError('known "%s": found elements of %s' % (name, array.dtype))
        keep.append(
            (
                c_text(name),
                c_text(names[array.dtype]),
                ffi.new("int64_t[]", array.shape),
                ffi.from_buffer(array),
            )
        )
        item.name, item.dtype, item.dims, item.data = keep[-1]
        item.rank = array.ndim
    return inputs, keep


class _Handle:
    """The model of the library: lives as long as the Model, or an array in its memory."""

    def __init__(
        self, network, tuned, device, threads, batch, shapes, random_weights, cache, known
    ):
        self.context = Context(cache)
        words, array = shape_words(shapes)
        inputs, data = _known_inputs(known)
        keep = [c_text(tuned), c_text(device.id if isinstance(device, Device) else device)]
        options = new_options("struct anole_model_options")
        options.tuned, options.selector = keep
        options.threads = threads
        options.batch = batch
        options.shapes = ffi.cast("char const *const *", array)
        options.shape_count = len(words)
        options.random_weights = random_weights
        options.known = inputs
        options.known_count = len(inputs)
        pointer = ffi.new("struct anole_model **")
        path = c_text(network)
        self.context.check(
            lambda error: lib.anole_model_load(
                pointer, self.context.pointer, path, ffi.NULL, options, error
            )
        )
        self.pointer = pointer[0]

    def __del__(self):
        if getattr(self, "pointer", None):
            lib.anole_model_destroy(self.pointer)

    def array(self, address, tensor):
        """An array in the model's memory, which it keeps alive."""
        size = int(np.prod(tensor.shape, dtype=np.int64)) * tensor.dtype.itemsize
        if size == 0:
            return np.empty(tensor.shape, tensor.dtype)
        owner = ffi.gc(ffi.cast("char *", address), lambda _, handle=self: None)
        return np.frombuffer(ffi.buffer(owner, size), tensor.dtype).reshape(tensor.shape)


class Model:
    """A network on a device, ready to run; see load().

    May be used by several threads, one after another; models run side by side."""

    def __init__(self, handle):
        self._handle = handle
        self._lock = threading.Lock()
        self._shown = set()  # inputs that were handed out to be written to
        model = handle.pointer
        self._inputs = tuple(
            Tensor._of(lib.anole_model_input(model, i))
            for i in range(lib.anole_model_input_count(model))
        )
        self._outputs = tuple(
            Tensor._of(lib.anole_model_output(model, i))
            for i in range(lib.anole_model_output_count(model))
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __repr__(self):
        if self._handle is None:
            return "<anole.Model, closed>"
        info = lib.anole_model_info(self._handle.pointer)
        return "<anole.Model '%s' on %s: %d of %d steps tuned>" % (
            text(info.network),
            text(info.device.id),
            info.steps_tuned,
            info.steps,
        )

    def close(self):
        """Gives back what the model holds, once no array lies in its memory any more."""
        with self._lock:
            self._handle = None

    @property
    def inputs(self):
        """A Tensor for each input, in the file's order."""
        return self._inputs

    @property
    def outputs(self):
        """A Tensor for each output, in the file's order.  Of a size that depends on what is
        computed, the largest that it can be, until it has run."""
        return self._outputs

    def _open(self):
        if self._handle is None:
            raise ValueError("the model is closed")
        return self._handle

    def _call(self, function, *arguments):
        handle = self._open()
        handle.context.check(lambda error: function(handle.pointer, *arguments, error))

    @property
    def steps(self):
        """A Step for each step, in the order in which they run."""
        with self._lock:
            model = self._open().pointer
            count = lib.anole_model_info(model).steps
            return [Step._of(lib.anole_model_step(model, i)) for i in range(count)]

    @property
    def info(self):
        """What there is to know: counts of steps, bytes, seconds."""
        with self._lock:
            info = lib.anole_model_info(self._open().pointer)
            values = {
                name: getattr(info, name)
                for name, _ in ffi.typeof(info).item.fields
                if name not in ("network", "device")
            }
            values["network"] = text(info.network)
            values["device"] = Device._of(info.device)
            return values

    def _index(self, name):
        for index, tensor in enumerate(self._inputs):
            if tensor.name == name:
                return index
        raise KeyError(
            'there is no input "%s"; expected %s'
            % (name, ", ".join('"%s"' % tensor.name for tensor in self._inputs) or "none")
        )

    def _set(self, index, value):
        tensor = self._inputs[index]
        if isinstance(value, np.ndarray) and value.dtype != tensor.dtype:
            raise ValueError(
                'input "%s": expected elements of %s, found %s; convert it, with .astype(numpy.%s)'
                % (tensor.name, tensor.dtype, value.dtype, tensor.dtype.name)
            )
        array = np.asarray(value, tensor.dtype, order="C")
        if array.shape != tensor.shape:
            raise ValueError(
                'input "%s": expected shape %s, found %s' % (tensor.name, tensor.shape, array.shape)
            )
        if array.nbytes == 0:
            return
        data = ffi.from_buffer(array)
        self._call(lib.anole_model_set_input, index, data, array.nbytes)

    def input(self, name):
        """An array to write an input to, for the next run: without a copy, where the device
        shares the host's memory.  Ask for it again after each run."""
        index = self._index(name)
        data = ffi.new("void **")
        with self._lock:
            handle = self._open()
            handle.context.check(
                lambda error: lib.anole_model_map_input(
                    data, ffi.NULL, handle.pointer, index, error
                )
            )
            self._shown.add(index)
            return handle.array(data[0], self._inputs[index])

    def _take_inputs(self, inputs):
        given = {self._index(name): value for name, value in (inputs or {}).items()}
        for index, tensor in enumerate(self._inputs):
            if index not in given and index not in self._shown:
                raise KeyError(
                    'input "%s" is missing; expected an array of %s, shape %s'
                    % (tensor.name, tensor.dtype, tensor.shape)
                )
        for index, value in given.items():
            self._set(index, value)

    def _output(self, index, copy):
        """An output, of the shape that it has now: it may depend on what was computed."""
        handle = self._open()
        info = lib.anole_model_output(handle.pointer, index)
        tensor = Tensor._of(info)
        count = int(np.prod(tensor.shape, dtype=np.int64))
        if info.bytes == 0 or count == 0:
            return np.empty(tensor.shape, tensor.dtype)
        if copy:
            array = np.empty(info.bytes // tensor.dtype.itemsize, tensor.dtype)
            data = ffi.from_buffer(array, require_writable=True)
            self._call(lib.anole_model_get_output, index, data, array.nbytes)
            return array[:count].reshape(tensor.shape)
        data = ffi.new("void const **")
        handle.context.check(
            lambda error: lib.anole_model_map_output(data, ffi.NULL, handle.pointer, index, error)
        )
        array = handle.array(data[0], tensor)
        array.flags.writeable = False
        return array

    def run(self, inputs=None, *, copy=True):
        """Runs the network once: {name: array} of all outputs.

        `inputs`: {name: array} of all inputs, but for those that were written where input()
        showed.  KeyError: one is missing, or there is none of a name; ValueError: it has the
        wrong shape or type.  copy=False: outputs are not copied, where the device shares the
        host's memory, and what they hold changes with the next run."""
        with self._lock:
            self._take_inputs(inputs)
            self._call(lib.anole_model_run)
            return {
                tensor.name: self._output(index, copy)
                for index, tensor in enumerate(self._outputs)
            }

    def measure(self, inputs=None, *, repeat=10):
        """The Latency of `repeat` runs, after one that does not count."""
        latency = ffi.new("struct anole_latency const **")
        with self._lock:
            if inputs is not None:
                self._take_inputs(inputs)
            handle = self._open()
            handle.context.check(
                lambda error: lib.anole_model_measure(latency, handle.pointer, repeat, error)
            )
            found = latency[0]
            return Latency(found.median, found.low, found.high, found.minimum, found.runs)

    def export(self, folder):
        """Writes the network as a folder that runs without Anole (docs/export.md): how many files
        of kernels it has.

        The folder is made whole, or what is there is left alone.  Error: it holds something that
        is no earlier export, or a node is computed by the host, which has no kernel."""
        kernels = ffi.new("size_t *")
        with self._lock:
            self._call(lib.anole_model_export, c_text(folder), kernels)
            return kernels[0]


def load(
    network,
    *,
    tuned=None,
    device=None,
    threads=0,
    batch=0,
    shapes=None,
    random_weights=False,
    cache=None,
    known=None,
):
    """Loads a network, from an ONNX file or our JSON, onto a device: a Model.

    `tuned`: a lock file, as tune() writes it; layers that it does not have run with defaults.
    `device`: a selector such as "cpu", or a Device; None: the only one there is.  `threads`: of
    a device that shares the host's cores; 0: all.  `batch`, and `shapes` as {name: shape}, are
    sizes that an ONNX file leaves open.  `cache`: the folder in which built kernels and packed
    weights are kept for the next start; "": none are; None: the user's.

    `known`: {name: array} of inputs that are sizes, such as a new shape, where the network's own
    sizes depend on them: they are built in, and are no inputs of the Model any more."""
    return Model(
        _Handle(network, tuned, device, threads, batch, shapes, random_weights, cache, known)
    )
