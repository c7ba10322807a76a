# SPDX-License-Identifier: MIT
import os
from enum import IntEnum
from types import TracebackType
from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple, Type, Union

import numpy as np
import numpy.typing as npt

__version__: str
__all__: List[str]

_Path = Union[str, "os.PathLike[str]"]

class Status(IntEnum):
    DONE = ...
    ERR_INTERNAL = ...
    ERR_MEMORY = ...
    ERR_SYSTEM = ...
    ERR_USAGE = ...
    ERR_INPUT = ...
    ERR_IN_USE = ...
    ERR_VERSION = ...
    ERR_NO_DEVICE = ...
    ERR_NO_BACKEND = ...
    ERR_PLUGIN = ...
    ERR_WORKER = ...
    ERR_NOTHING_VALID = ...
    ERR_WRONG_RESULT = ...
    ERR_SLOWER = ...
    ERR_INTERRUPTED = ...

class Error(Exception):
    status: Union[Status, int]

class Device:
    id: str
    name: str
    vendor: str
    driver: str
    driver_version: str
    type: str
    backend: str
    backend_version: str
    compute_units: int
    cores: int
    numa_nodes: int
    clock_mhz: int
    simd_width: int
    registers: int
    max_work_group: int
    local_memory: int
    global_memory: int
    max_allocation: int
    cache_l1: int
    cache_l2: int
    cache_l3: int
    shares_host: bool
    simulated: bool
    properties: Dict[str, float]

class Tensor:
    name: str
    dtype: np.dtype[Any]
    shape: Tuple[int, ...]

class Step:
    layer: str
    op: str
    kind: str
    key: str
    problem: str
    tuned_seconds: float

class Latency:
    median: float
    low: float
    high: float
    minimum: float
    runs: int

class Progress:
    event: str
    phase: str
    elapsed: float
    time_limit: float
    trials: int
    trial_limit: int
    task: str
    default_seconds: float
    best_seconds: float

class Result:
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
    crowding: float
    disturbed: bool
    in_place_seconds: float
    alone_seconds: float
    alone_in_place_seconds: float
    in_place_disturbed: bool

class InPlace:
    ran: bool
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
    sum_seconds: float
    steps: int
    steps_tuned: int
    rounds: int
    disturbed: bool

class Results(List[Result]):
    in_place: InPlace

class Model:
    def __enter__(self) -> Model: ...
    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        value: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None: ...
    def close(self) -> None: ...
    @property
    def inputs(self) -> Tuple[Tensor, ...]: ...
    @property
    def outputs(self) -> Tuple[Tensor, ...]: ...
    @property
    def steps(self) -> List[Step]: ...
    @property
    def info(self) -> Dict[str, Any]: ...
    def input(self, name: str) -> npt.NDArray[Any]: ...
    def run(
        self, inputs: Optional[Mapping[str, npt.ArrayLike]] = None, *, copy: bool = True
    ) -> Dict[str, npt.NDArray[Any]]: ...
    def measure(
        self, inputs: Optional[Mapping[str, npt.ArrayLike]] = None, *, repeat: int = 10
    ) -> Latency: ...
    def export(self, folder: _Path) -> int: ...

def devices(*, threads: int = 0) -> List[Device]: ...
def load(
    network: _Path,
    *,
    tuned: Optional[_Path] = None,
    device: Union[str, Device, None] = None,
    threads: int = 0,
    batch: int = 0,
    shapes: Optional[Mapping[str, Sequence[int]]] = None,
    random_weights: bool = False,
    cache: Optional[_Path] = None,
    known: Optional[Mapping[str, npt.ArrayLike]] = None,
) -> Model: ...
def tune(
    network: _Path,
    *,
    device: Union[str, Device, None] = None,
    threads: int = 0,
    time: float = 0.0,
    trials: int = 0,
    lock: Optional[_Path] = None,
    history: Optional[_Path] = None,
    transfer: Iterable[_Path] = (),
    seed: int = 0,
    explorer: Optional[str] = None,
    sampler: Optional[str] = None,
    precision: Optional[str] = None,
    batch: int = 0,
    shapes: Optional[Mapping[str, Sequence[int]]] = None,
    progress: Optional[Callable[[Progress], object]] = None,
    timing: Optional[str] = None,
) -> Results: ...
