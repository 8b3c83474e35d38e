"""The process that trains for the page: it does what the page asks for, and sends frames.

Training is that of every other door: a run folder, continued by `resume` and branched off by
`fork`. So a pause is the end of a training that goes on later, and what is on the page is in a
folder. Between two chunks of steps, and only there, commands are read and a frame is sent, and
that only if the page has drawn the last one: a page that is slow, hidden or gone costs nothing.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import singledispatchmethod
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import jax
import numpy as np
from msgspec.structs import replace

from downslope.data import BUILT_IN
from downslope.data.describe import describe
from downslope.data.load import load
from downslope.engine.model import Model
from downslope.engine.optimizers import OPTIMIZERS, SCHEDULES, Optimizer
from downslope.engine.scales import target_scaling
from downslope.errors import DownslopeError, RunError, SettingError
from downslope.insight.step import trace_step
from downslope.lab import code, looking, messages
from downslope.lab.dropped import FOLDER as DROPPED
from downslope.lab.dropped import Dropped, listed
from downslope.lab.messages import Asked, Frame, Notice, packed
from downslope.lab.view import View
from downslope.nn import notation
from downslope.runs.counting import estimate, usual_error
from downslope.runs.open import open_run
from downslope.runs.preparation import Preparation
from downslope.runs.progress import NextChunk, Progress
from downslope.runs.replay import replay
from downslope.runs.resume import CHANGEABLE, fork, resume
from downslope.runs.run import Run
from downslope.runs.run_folder import OPTIONS, has_ended
from downslope.runs.train import train
from downslope.runs.train_options import TrainOptions
from downslope.storage.checkpoints import FOLDER as CHECKPOINTS
from downslope.storage.checkpoints import stored_steps
from downslope.storage.lock import claim_numbered_folder, is_locked

FRAME_SECONDS = 1 / 30  # between two frames, if they cost little
MOST_COST = 0.1  # of the time goes into frames
RESULT_SECONDS = 0.25  # between two measurements of the results, if they cost little
RUNS = Path("runs")
MOST_RUNS = 50  # that can be chosen on the page
LOOK_SECONDS = 0.5  # between two looks at a run that another process trains
WATCHED_SECONDS = 1.0  # after its last request for a frame, nobody is taken to look


class Inbox:
    """The commands that have come; the page's requests for a frame are kept apart.

    Args:
        connection: Where they come from.

    Attributes:
        wanted: Whether a frame was asked for that was not sent yet.
        watched_at: When the page last asked for one.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._kept: deque[Asked] = deque()
        self.wanted = False
        self.watched_at = float("-inf")

    def _receive(self) -> None:
        command = messages.command_of(self._connection.recv_bytes(messages.LONGEST_COMMAND))
        if isinstance(command, messages.Ready):
            self.wanted, self.watched_at = True, time.monotonic()
        else:
            self._kept.append(command)

    def wait(self, seconds: float | None = None) -> None:
        """Wait until something has come, at most so long; None for as long as it takes."""
        if not self._kept and self._connection.poll(seconds):
            self._receive()

    def take(self) -> Asked | None:
        """The next command that has come; None if there is none."""
        while self._connection.poll(0):
            self._receive()
        return self._kept.popleft() if self._kept else None

    def put_back(self, command: Asked) -> None:
        """Have a command be the next one."""
        self._kept.appendleft(command)

    @property
    def is_watched(self) -> bool:
        """Whether somebody looks."""
        return self.wanted or time.monotonic() - self.watched_at < WATCHED_SECONDS


class Worker:
    """A training that the page commands.

    Args:
        connection: To the server.
        source: The data, or the folder of a run, to begin with.
    """

    def __init__(self, connection: Connection, source: str = "spirals") -> None:
        self.inbox = Inbox(connection)
        self._send = connection.send_bytes
        self._begins_with = source
        self.run: Run | None = None
        self.asked = messages.Setup()
        self.pace = 0.0
        self._shown = 0  # the step that the page sees
        self._losses_sent = self._rows_sent = 0
        self._is_new = False  # whether there is something that the page has not seen
        self._last_frame = self._last_result = self._cost = self._result_cost = 0.0
        self._last_told = 0.0  # when it was told how far reading is
        self._session = f"{os.getpid()}-{time.time_ns()}"
        self._follows: Path | None = None  # the folder of a run that another process trains
        self._seen = -1  # the last step of it that was read
        self._looked_at = 0.0
        self._look: messages.Look | None = None  # what is followed, if anything
        self._sample = 0  # the training sample that it is followed for

    # what the page asks for

    def serve(self) -> None:
        """Do what comes, until the connection is closed."""
        with suppress(EOFError, OSError, KeyboardInterrupt):
            self._try(lambda: self._open(self._begins_with))
            while True:
                command = self.inbox.take()
                if self._follows is not None:
                    self._try(self._look_again)
                if command is not None:
                    self._try(lambda command=command: self._obey(command))
                elif self.inbox.wanted and self._is_new:
                    self._try(self._show)
                else:
                    self.inbox.wait(None if self._follows is None else LOOK_SECONDS)

    def _try(self, work: Callable[[], object]) -> None:
        """Do it; what cannot be done is told, and nothing is lost."""
        try:
            work()
        except DownslopeError as error:
            self.tell(str(error), "error")
        except (EOFError, ConnectionError):  # the server is gone
            raise
        except Exception as error:  # a fault of our own; the page goes on
            traceback.print_exc()
            text = (
                f"Downslope failed, which is a fault of its own ({type(error).__name__}: {error})."
            )
            self.tell(text, "error")

    def tell(self, text: str, level: Any = "note") -> None:
        """Say something on the page."""
        self._send(packed(Notice(text, level)))

    def _obey(self, command: Asked) -> None:
        """Do what one command asks for, unless the run is another process's."""
        free = messages.Choose | messages.Open | messages.Pace | messages.Look
        if self._follows is None or isinstance(command, free):
            self.do(command)
        else:
            self.tell("Another process trains this run: it is watched here, and not controlled.")

    @singledispatchmethod
    def do(self, command: Any) -> None:
        """Do what one command asks for."""
        raise NotImplementedError(command)

    @do.register
    def _(self, command: messages.Choose) -> None:
        self._follows = None
        self.asked = messages.Setup()
        self._use(command.data, command.target)

    @do.register
    def _(self, command: messages.Open) -> None:
        if self.run is None or str(self.run.folder) != os.path.abspath(command.run):
            self._follows = None
            self._open(command.run)

    @do.register
    def _(self, command: messages.Setup) -> None:
        before, self.asked = self.asked, command
        try:
            self._prepare()
        except DownslopeError:
            self.asked = before
            raise

    @do.register
    def _(self, command: messages.Play) -> None:
        done = 0 if self.run is None else self.run.outcome.step
        if self.run is not None and self._changes(self.prepared):
            done = self._shown  # where a new run branches off
        until = None if command.steps is None else done + command.steps
        if command.epochs is not None:
            each = self.prepared.plan.steps_per_epoch
            until = (done // each + command.epochs) * each
        self._train(until)

    @do.register
    def _(self, command: messages.Pause) -> None:
        """It has stopped already."""

    @do.register
    def _(self, command: messages.Renew) -> None:
        self.run = None
        self._begin()

    @do.register
    def _(self, command: messages.GoTo) -> None:
        step = 0 if self.run is None else min(command.step, self.run.outcome.step)
        self._shown = max(0, step)
        self._is_new = True

    @do.register
    def _(self, command: messages.Pace) -> None:
        if not 0 <= command.steps < 1e6:
            raise SettingError(
                f"The pace is {command.steps} steps a second.", "a number from 0 to 1,000,000",
                "0 is as fast as it goes.",
            )  # fmt: skip
        self.pace = command.steps

    @do.register
    def _(self, command: messages.Walk) -> None:
        run = self._trained()
        step = max(1, self._shown)
        traced = trace_step(run, step, sample=command.sample)
        self._send(packed(*looking.tell_steps(traced)))

    @do.register
    def _(self, command: messages.Look) -> None:
        step = max(1, self._shown)
        first = int(self.prepared.plan.batches(step - 1, step)[0][0])
        self._look, self._sample = command, first if command.sample is None else command.sample
        self._is_new, self._last_result = True, 0.0

    @do.register
    def _(self, command: messages.Measure) -> None:
        from downslope.insight.layers import layers_over_time

        run = self._trained()
        told = self._progress("Measuring the layers")
        self._send(packed(*looking.layers_of(layers_over_time(run, command.points, told))))

    @do.register
    def _(self, command: messages.FindRate) -> None:
        from downslope.insight.learning_rate import find_rate

        told = self._progress("Looking for a learning rate")
        found = find_rate(
            None, self.dataset, options=self.options, seconds=command.seconds, on_progress=told
        )
        self._send(packed(*looking.rates_of(found)))

    @do.register
    def _(self, command: messages.Diagnose) -> None:
        from downslope.diagnosis.diagnose import diagnose

        run = self._trained()
        self.tell("Looking for causes, and training with changes ...", "working")
        found = diagnose(run, command.seconds)
        self._send(packed(code.findings_of("Diagnosis", found.findings)))

    @do.register
    def _(self, command: messages.Draw) -> None:
        from downslope.insight.surface import surface

        self.tell("Computing the loss surface ...", "working")
        found = surface(self._trained(), points=command.points)
        walked = found.walked
        assert walked is not None
        path = [walked.path.steps, walked.a, walked.b, walked.train_loss]
        arrays = {
            "heights": found.train_loss,
            "across": found.a,
            "up": found.b,
            "path": np.stack(path, axis=1),
        }
        self._send(packed(messages.Relief(found.summary, found.loss), arrays))

    @do.register
    def _(self, command: messages.Count) -> None:
        run = self._trained()
        self.tell("Counting ...", "working")
        found = estimate(run, Path(command.photo))
        arrays = {"photo": found.photo / np.float32(255)}
        if found.density is not None:
            arrays["density"] = found.density[..., 0]
        told = messages.Counted(found.path.name, found.people, usual_error(run))
        self._send(packed(told, arrays))

    @do.register
    def _(self, command: messages.OpenTest) -> None:
        from downslope.runs.evaluate import evaluate

        self._send(packed(messages.Tested(code.lines_of(evaluate(self._trained())))))

    def _trained(self) -> Run:
        if self.run is None or not self.run.outcome.step:
            raise SettingError(
                "Nothing has been trained yet.", "a training of at least one step",
                "Press play, or make one step.",
            )  # fmt: skip
        return self.run

    # what is trained

    def _open(self, source: str) -> None:
        """Begin with a run folder, or with data."""
        folder = Path(source)
        if source not in BUILT_IN and is_locked(folder):  # also before its first file is there
            self._follow(folder)
        elif source in BUILT_IN or not _is_run(folder):
            self._use(source, None)
        else:
            self._take(open_run(source).with_data())

    def _follow(self, folder: Path) -> None:
        """Watch a run that another process trains."""
        self._follows, self._seen, self.run = folder, -1, None
        self.tell("Another process trains this run; waiting for what it stores ...", "working")

    def _look_again(self) -> None:
        """Show what another process has stored since the last look; take over when it has ended."""
        folder, now = self._follows, time.monotonic()
        if folder is None or now < self._looked_at:
            return
        self._looked_at = now + LOOK_SECONDS
        known = None if self.run is None else self.dataset
        if not is_locked(folder):
            self._follows = None
            self._take(open_run(folder).with_data(known))
            self.tell("The other process has ended; the run can go on here.")
            return
        with suppress(RunError, FileNotFoundError):  # it is being written; later it is whole
            newest = max(stored_steps(folder), default=-1)
            if newest == self._seen:
                return
            run = open_run(folder).with_data(known)
            self._seen = newest
            if self.run is None:
                self._take(run)
                return
            self.run, self._shown, self._is_new = run, run.outcome.kept_step, True
            lasted = time.monotonic() - now  # it takes its time from the training
            self._looked_at = time.monotonic() + max(LOOK_SECONDS, lasted / MOST_COST)

    def _take(self, run: Run) -> None:
        """Have a run on the page."""
        assert run.dataset is not None
        self.dataset, self._source, self._options = run.dataset, run.data.source, {}
        self._findings: tuple[str, ...] = ()
        self.asked = messages.Setup(notation.describe(run.network))
        settings = run.settings
        self._base = self.options = TrainOptions.of(run.network, run.loss, settings)
        self.prepared = Preparation(run.network, run.dataset, run.loss, settings, scaled_as=run)
        self.run = run
        self._begin()

    def _use(self, source: str, target: str | None) -> None:
        options = {} if target is None else {"target": target}
        told = self._progress(f"Reading {Path(source).name}")
        dataset = load(source, target=target, on_progress=told)
        found = describe(dataset)
        self.dataset, self._source, self._options = found.dataset, source, options
        self._findings = tuple(str(part) for part in found.warnings())
        self._base = self._usual()
        self._prepare()

    def _progress(self, what: str) -> Callable[[int, int], None]:
        """Say that long work begins; the function then says how far it is, seldom enough."""
        self.tell(f"{what} ...", "working")

        def told(done: int, total: int) -> None:
            if time.monotonic() - self._last_told > RESULT_SECONDS:
                self._last_told = time.monotonic()
                self.tell(f"{what}: {done:,} of {total:,}", "working")

        return told

    def _prepare(self) -> None:
        """Make ready what the settings of the page say; a run that they fit is kept."""
        options = self._options_of(self.asked)
        prepared = options.plan(options.suited(self.dataset))
        self.options = options
        if self.run is not None and not self._can_become(prepared):
            self.run = None
        self.prepared = prepared
        self._begin(keeps_step=self.run is not None)

    def _usual(self) -> TrainOptions:
        """The options for new data; where there is little to see, a network that is seen whole."""
        if self.dataset.input_shape not in ((1,), (2,)):
            return TrainOptions(members=1)
        outputs = len(self.dataset.class_names) or self.dataset.train.targets.shape[-1]
        return TrainOptions(
            network=f"dense 8 tanh, dense 8 tanh, dense {outputs}",
            learning_rate=0.02,
            epochs=300,
            members=1,
        )

    def _options_of(self, asked: messages.Setup) -> TrainOptions:
        """The options of the page; all else is as it was for this data or this run."""
        base = self._base
        given = {
            name: value
            for name in asked.__struct_fields__
            if (value := getattr(asked, name)) is not None
        }
        usual: Any = base.complete(self.dataset)
        name = given.pop("optimizer", usual.optimizer.name)
        kept = usual.optimizer.weight_decay if name == usual.optimizer.name else 0.0
        decay = given.pop("weight_decay", kept)
        if (name, decay) != (usual.optimizer.name, usual.optimizer.weight_decay):
            given["optimizer"] = Optimizer(name, weight_decay=decay)
            if name != usual.optimizer.name:
                base = base.replace(learning_rate=None)
        if given.get("schedule") == usual.schedule.kind:
            del given["schedule"]  # with its own settings
        if given.get("network") == notation.describe(usual.network):
            del given["network"]
        return base.replace(**given)

    def _changes(self, prepared: Preparation) -> dict[str, Any]:
        """The settings in which what is prepared differs from the run."""
        assert self.run is not None
        one, other = vars(self.run.settings), vars(prepared.settings)
        return {name: other[name] for name in one if one[name] != other[name]}

    def _can_become(self, prepared: Preparation) -> bool:
        """Whether the run can go on with other settings."""
        run = self.run
        assert run is not None
        is_same = (
            run.data.fingerprint == prepared.dataset.fingerprint
            and run.network == prepared.network
            and run.loss.name == prepared.loss.name
        )
        return is_same and all(name in CHANGEABLE for name in self._changes(prepared))

    def _train(self, until: int | None) -> None:
        """Train on, from the step that is shown if the settings have changed since."""
        between = self._between(until)
        run = self.run
        changes = {} if run is None else self._changes(self.prepared)
        if run is None:
            with claim_numbered_folder(RUNS, self.dataset.name) as claim:
                self.tell("Compiling ...", "working")
                run = train(
                    None, self.dataset, options=self.options, folder=claim, on_chunk=between
                )
        elif changes:
            at = self._shown
            with claim_numbered_folder(RUNS, self.dataset.name) as claim:
                self.tell(f"A new run begins at step {at:,}.")
                run = fork(run, at, claim, on_chunk=between, **changes)
        else:
            assert run.folder is not None
            if is_locked(run.folder):  # since it was opened
                self._follow(run.folder)
                return
            run = resume(run.folder, data=self.dataset, on_chunk=between)
        is_new = self.run is None or run.folder != self.run.folder
        self.run = run.with_data() if run.dataset is None else run
        self._shown = run.outcome.step
        if is_new:
            self._introduce()
        self._is_new = True
        self._last_result = 0.0
        self._send(packed(code.findings_of("At the end", run.findings)))

    def _between(self, until: int | None) -> Callable[[Progress], NextChunk | None]:
        """What is done between two chunks of a training."""

        def between(progress: Progress) -> NextChunk | None:
            command = self.inbox.take()
            if isinstance(command, messages.Pace | messages.Look):
                self.do(command)
                command = None
            due = time.monotonic() + (max(1 / self.pace, FRAME_SECONDS) if self.pace else 0.0)
            self._show_progress(progress)
            while command is None and self.pace and (left := due - time.monotonic()) > 0:
                self.inbox.wait(left)
                command = self.inbox.take()
            if command is not None:
                self.inbox.put_back(command)
                return NextChunk(0)
            if until is not None and progress.step >= until:
                return NextChunk(0)
            left = None if until is None else until - progress.step
            if self.pace:
                slow = max(1, round(self.pace * FRAME_SECONDS))
                return NextChunk(slow if left is None else min(slow, left))
            if not self.inbox.is_watched:
                return None if left is None else NextChunk(left)
            done = progress.step - progress.first
            usual = max(1, round(done / max(progress.seconds, 1e-3) * FRAME_SECONDS))
            return NextChunk(usual if left is None else min(usual, left))

        return between

    # what the page is sent

    def _begin(self, keeps_step: bool = False) -> None:
        """Show what there is now: data, network, and the run if there is one."""
        self.view = View(self.prepared.dataset, self.prepared.network)
        run = self.run
        self._look = None
        if not keeps_step:
            self._shown = 0 if run is None else run.outcome.step
        if run is not None and self._follows is not None:
            self._shown = run.outcome.kept_step  # another one would have to be computed again
        self._first: Model | None = None
        self._introduce()
        if run is not None:
            self._send(packed(code.findings_of("At the end", run.findings)))

    def _standing(self) -> messages.State:
        """How it stands with what is on the page, while nothing is trained here."""
        if self.run is None:
            return "new"
        if self._follows is not None:
            return "watched"
        return "paused" if self.run.outcome.reason == "interrupted" else "ended"

    def _introduce(self) -> None:
        self._losses_sent = self._rows_sent = 0
        self._last_result = 0.0
        self._is_new = True
        scene = code.scene(
            self.prepared, self.view, self.run, self._source, self._options, self._findings
        )
        choices = {
            "data": tuple(BUILT_IN),
            "dropped": Dropped(Path(DROPPED)).data(),
            "runs": _newest_runs(),
            "optimizer": tuple(OPTIMIZERS),
            "schedule": tuple(SCHEDULES),
        }
        own = {"choices": choices, "session": self._session, "place": os.getcwd()}
        self._send(packed(replace(scene, **own), self.view.samples()))

    def _first_model(self) -> Model:
        """The network with its first weights."""
        if self._first is None:
            prepared = self.prepared
            state, _ = prepared.start()
            dataset, loss = prepared.dataset, prepared.loss
            self._first = Model(
                prepared.network, loss, _arrays(state.parameters), dataset.task, dataset.scaling,
                target_scaling(dataset, loss), prepared.settings.mirrors,
            )  # fmt: skip
        return self._first

    def _show_progress(self, progress: Progress) -> None:
        """Send a frame, if the page takes one and the last one did not cost too much."""
        now = time.monotonic()
        is_early = now - self._last_frame < max(FRAME_SECONDS, self._cost / MOST_COST)
        if self.inbox.wanted and not is_early:
            self._shown = progress.step
            epoch = progress.step // self.prepared.plan.steps_per_epoch
            frame = Frame("training", progress.step, progress.step, epoch, progress.seconds, 0, 0)
            self._send_frame(frame, progress.trace, progress.model)

    def _show(self) -> None:
        """Send the moment that is shown while nothing is trained."""
        run = self.run
        if run is None:
            frame = Frame(self._standing(), 0, 0, 0, 0.0, 0, 0)
            self._send_frame(frame, None, self._first_model())
            return
        step, at = run.outcome.step, self._shown
        model = run.model if at == run.outcome.kept_step else run.model.at(
            _arrays(replay(run).parameters(at))
        )  # fmt: skip
        epoch = at // self.prepared.plan.steps_per_epoch
        frame = Frame(
            self._standing(), step, at, epoch, run.seconds.training, 0, 0, run.outcome.message,
            branches=bool(self._changes(self.prepared)),
        )  # fmt: skip
        self._send_frame(frame, run.trace, model)

    def _send_frame(self, frame: Frame, trace: Any, model: Model) -> None:
        began = time.monotonic()
        arrays = {**self.view.weights(model), **self.view.responses(model)}
        if self._look is not None and self._look.gradients:
            arrays |= self.view.gradients(model)
        self._cost = time.monotonic() - began
        rest = max(RESULT_SECONDS, self._result_cost / MOST_COST)
        if began - self._last_result > rest or frame.state != "training":
            arrays |= self.view.results(model)
            self._send_look(model, frame.at)
            self._last_result = time.monotonic()
            self._result_cost = self._last_result - began - self._cost
        if trace is not None:
            losses, rows = trace.batch_loss, trace.epochs
            names = ("step", *code.columns(self.dataset.task))
            table = np.stack([rows[name] for name in names], axis=1)
            frame = replace(frame, losses_from=self._losses_sent, rows_from=self._rows_sent)
            arrays["losses"] = losses[self._losses_sent :]
            arrays["rows"] = table[self._rows_sent :]
            self._losses_sent, self._rows_sent = len(losses), len(table)
        self.inbox.wanted, self._is_new = False, False
        self._send(packed(frame, arrays))
        self._last_frame = time.monotonic()

    def _send_look(self, model: Model, at: int) -> None:
        """Send what is shown of the sample that is followed, if one is."""
        if self._look is None:
            return
        try:
            dataset = self.prepared.dataset  # as the network takes it
            found = looking.look(model, dataset, self._look, self._sample, at)
        except DownslopeError as error:  # asked for what this network or data has not
            self._look = None
            self.tell(str(error), "error")
        except Exception:
            self._look = None  # or no frame would ever come again
            raise
        else:
            self._send(packed(*found))


def _newest_runs() -> tuple[str, ...]:
    """The names of the runs that were written last."""
    runs = [one for one in listed(RUNS).values() if one.is_dir()]
    runs.sort(key=lambda one: one.stat().st_mtime, reverse=True)
    return tuple(one.name for one in runs[:MOST_RUNS])


def _is_run(folder: Path) -> bool:
    """Whether a folder is that of a training, ended or not."""
    return has_ended(folder) or any((folder / name).exists() for name in (CHECKPOINTS, OPTIONS))


def _arrays(parameters: Any) -> Any:
    return jax.tree.map(np.asarray, parameters)


def main() -> None:
    """Serve the connection and the source that the command line names."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # nothing had to end well before
    Worker(Connection(int(sys.argv[1])), sys.argv[2]).serve()
