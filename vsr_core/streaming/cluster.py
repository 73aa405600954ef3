"""Restore the segments of videos on several machines or GPUs, with Ray (https://docs.ray.io).

The coordinator scans, plans and joins; workers restore one segment at a time and write it into the work folder, so
source, target and work folder must be under the same paths on every machine. A segment does not depend on who
restores it: where a worker dies, another one does its segment again.
"""

import socket
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import torch

from ..errors import MissingPackageError, SettingError, VideoError, VSRError
from ..load import cast, compiled, load_restorer
from ..runtime import StandaloneRuntime
from .distribute import Task
from .engine import run_segments
from .plan import Segment
from .work import Work

LOCAL = "local"
ATTEMPTS = 3
"""How often a segment is begun at most where workers die under it."""
POLL_SECONDS = 0.5
ANSWER_SECONDS = 10.0
OBJECT_BYTES = 200 * 2**20
"""Shared memory of a local cluster; plans and numbers are all that travels."""


class Facts(NamedTuple):
    """What a worker has."""

    device: str
    dtype: torch.dtype
    memory: int
    """Bytes that are free for activations."""


class Worker:
    """Restores segments in a process of its own, with the model loaded once."""

    def __init__(self, model: Path, device: str, dtype: str, compile: bool):
        self.runtime = StandaloneRuntime(device, dtype)
        self.restorer = load_restorer(model)
        cast(self.restorer, self.runtime.dtype(self.restorer.requirements.dtypes))
        if compile:
            compiled(self.restorer)
        self.written = 0

    def facts(self) -> Facts:
        dtype = self.runtime.dtype(self.restorer.requirements.dtypes)
        return Facts(self.runtime.device.type, dtype, self.runtime.free_memory())

    def frames(self) -> int:
        """Return how many frames of the segment at hand are written."""
        return self.written

    def restore(self, work: Work, segment: Segment) -> None:
        self.written = 0
        run_segments(work, [segment], self.restorer, self.runtime, observer=self._count)

    def _count(self, *_: Any) -> None:
        self.written += 1


class RayPool:
    """Workers on a Ray cluster. Use it in a with block, which ends them."""

    def __init__(
        self,
        model: Path,
        *,
        address: str = LOCAL,
        workers: int | None = None,
        device: str = "auto",
        dtype: str = "auto",
        compile: bool = False,
    ):
        """Take the cluster's `address` (LOCAL: one of this machine's own) and the number of `workers`.

        None means one for every GPU of the cluster, or for every CPU core if there is no GPU.
        """
        self.ray = _ray()
        self.address, self.wanted = address, workers
        self.arguments = (model, device, dtype, compile)
        self.workers: list[Any] = []

    def __enter__(self) -> "RayPool":
        self._connect()
        resources = self.ray.cluster_resources()
        gpus = 0 if self.arguments[1] == "cpu" else int(resources.get("GPU", 0))
        options = {"num_gpus": 1} if gpus else {"num_cpus": 1}
        self.remote = self.ray.remote(Worker).options(max_concurrency=2, **options)  # restore, and frames beside it
        count = self.wanted or gpus or int(resources.get("CPU", 1))
        self.workers = [self._worker() for _ in range(count)]
        return self

    def __exit__(self, *_: Any) -> None:
        self.ray.shutdown()

    def _connect(self) -> None:
        settings = {"log_to_driver": False, "logging_level": "ERROR"}
        if self.address == LOCAL:
            size = {} if self.wanted is None else {"num_cpus": self.wanted}
            self.ray.init(include_dashboard=False, object_store_memory=OBJECT_BYTES, **size, **settings)
            return
        try:
            _knock(self.address)
            self.ray.init(address=self.address, **settings)
        except (OSError, ValueError, RuntimeError) as error:
            raise SettingError(
                f"No Ray cluster answers at {self.address}: {error}. Start one there by `ray start --head`, or leave "
                "the address out to use this machine alone."
            ) from error

    def _worker(self) -> Any:
        return self.remote.remote(*self.arguments)

    def facts(self) -> Facts:
        """Return what all workers have; raise SettingError if they differ where the result would."""
        found = self.ray.get([worker.facts.remote() for worker in self.workers])
        for name in ("device", "dtype"):
            kinds = sorted({str(getattr(facts, name)) for facts in found})
            if len(kinds) > 1:
                raise SettingError(f"The workers differ in {name}: {', '.join(kinds)}. Choose one by --{name}.")
        shared = len(found) if found[0].device != "cuda" else 1  # workers on a machine share its RAM
        return found[0]._replace(memory=min(facts.memory for facts in found) // shared)

    def run(self, tasks: Iterable[Task], seen: Callable[[int], None]) -> Iterator[tuple[Task, VSRError | None]]:
        """See `distribute.Pool`; a task whose worker dies is given to another."""
        rest, again, begun = iter(tasks), deque[Task](), Counter[tuple[Path, int]]()
        idle, busy = list(self.workers), {}
        while True:
            while idle and (task := again.popleft() if again else next(rest, None)):
                worker = idle.pop()
                busy[self.submit(worker, task)] = worker, task
            seen(self._frames([worker for worker, _ in busy.values()]))
            if not busy:
                return
            for done in self.ray.wait(list(busy), timeout=POLL_SECONDS)[0]:
                worker, task = busy.pop(done)
                name = task.work.folder, task.segment.index
                begun[name] += 1
                error = self._error(done)
                if isinstance(error, VSRError | None):
                    idle.append(worker)
                    yield task, error
                    continue
                idle.append(self._replaced(worker))
                if begun[name] < ATTEMPTS:
                    again.append(task)
                else:
                    yield task, _gave_up(task, error)

    def submit(self, worker: Any, task: Task) -> Any:
        """Let a worker begin a task; return what Ray knows it by."""
        return worker.restore.remote(*task)

    def _error(self, done: Any) -> Exception | None:
        """Return what went wrong in a finished task: a VSRError, or the end of its worker."""
        try:
            self.ray.get(done)
        except self.ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, VSRError):
                return error.cause
            raise
        except self.ray.exceptions.RayError as error:
            return error
        return None

    def _replaced(self, worker: Any) -> Any:
        with suppress(Exception):
            self.ray.kill(worker)
        self.workers.remove(worker)
        self.workers.append(self._worker())
        return self.workers[-1]

    def _frames(self, workers: list[Any]) -> int:
        asked = [worker.frames.remote() for worker in workers]
        total = 0
        for answer in self.ray.wait(asked, num_returns=len(asked), timeout=POLL_SECONDS)[0] if asked else []:
            with suppress(self.ray.exceptions.RayError):
                total += self.ray.get(answer)
        return total


def _knock(address: str) -> None:
    """Raise OSError if nobody listens at HOST:PORT; Ray itself would wait for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=ANSWER_SECONDS).close()


def _gave_up(task: Task, error: Exception) -> VideoError:
    reason = str(error).splitlines()[0]
    return VideoError(
        f"Workers died {ATTEMPTS} times at frames {task.segment.start}:{task.segment.stop} of {task.work.job.source} "
        f"({reason}). They may lack memory: use fewer --workers, or a smaller --tile or --window."
    )


def _ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise MissingPackageError(
            "Several workers need Ray, which is not installed. Install it by `pip install .[distributed]` in the "
            "pack's folder (or `pip install ray`), or leave --ray out."
        ) from error
    return ray
