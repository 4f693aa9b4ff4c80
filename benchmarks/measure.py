# SPDX-License-Identifier: Apache-2.0
"""Runs a command to its end and says what it and all its descendants used."""

import contextlib
import os
import pathlib
import subprocess
import threading
import time

SAMPLE_SECONDS = 0.1


class Usage:
    """Wall and CPU time in seconds, memory in bytes."""

    def __init__(self, wall, cpu, memory):
        self.wall, self.cpu, self.memory = wall, cpu, memory

    def __add__(self, other):
        return Usage(self.wall + other.wall, self.cpu + other.cpu, max(self.memory, other.memory))


def take_the_machine():
    """Gives this process, and so all that it measures, precedence over whatever else runs here; says whether that worked."""
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, -20)
    return os.getpriority(os.PRIO_PROCESS, 0) == -20


def children(pid):
    """The processes that a process has started and not yet waited for."""
    found = []
    with contextlib.suppress(OSError):  # it may end at any moment
        for thread in os.scandir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError):
                found += map(int, pathlib.Path(thread.path, "children").read_text().split())
    return found


def descendants(root):
    """`root` and all below it."""
    found, waiting = [], [root]
    while waiting:
        found.append(waiting.pop())
        waiting += children(found[-1])
    return found


def processor_group(pid):
    """Where the control group that shares out processors to this process can be set; None when that cannot be found."""
    with contextlib.suppress(OSError):
        for line in pathlib.Path(f"/proc/{pid}/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if "cpu" in controllers.split(","):
                return pathlib.Path("/sys/fs/cgroup/cpu" + path, "cpu.shares")
            if not controllers and pathlib.Path("/sys/fs/cgroup/cgroup.controllers").exists():
                return pathlib.Path("/sys/fs/cgroup" + path, "cpu.weight")
    return None


class Precedence:
    """Keeps the precedence of take_the_machine() inside containers: they get groups of their own, where it counts for nothing."""

    MOST = {"cpu.shares": "262144", "cpu.weight": "10000"}

    def __init__(self):
        self.done = {processor_group(os.getpid()), None}

    def extend_to(self, pid):
        group = processor_group(pid)
        if group not in self.done:
            self.done.add(group)
            with contextlib.suppress(OSError):
                group.write_text(self.MOST[group.name])


def proportional_memory(pid):
    """Bytes of memory of one process, where what N processes share counts 1/N in each; 0 when it has ended."""
    try:
        for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


class Watcher(threading.Thread):
    """Finds the most memory that a process and its descendants held together at any sample."""

    def __init__(self, root):
        super().__init__(daemon=True)
        self.root, self.peak, self.ended = root, 0, threading.Event()
        self.precedence = Precedence()

    def run(self):
        while not self.ended.is_set():
            processes = descendants(self.root)
            self.peak = max(self.peak, sum(map(proportional_memory, processes)))
            for pid in processes:
                self.precedence.extend_to(pid)
            self.ended.wait(SAMPLE_SECONDS)

    def stop(self):
        self.ended.set()
        self.join()
        return self.peak


def measure(command, env=None, cwd=None):
    """`command`: a list of arguments, or a string for bash. Returns its Usage and its standard output.

    CPU time is that of the command and of every descendant that was waited for. A failing command ends the program.
    """
    argv = ["/bin/bash", "-c", command] if isinstance(command, str) else [str(a) for a in command]
    os.sync()  # what earlier commands left to be written is not this one's
    start = time.monotonic()
    # A file for each, so that nobody has to read while the command runs.
    with (open(os.memfd_create("out"), "w+b") as out, open(os.memfd_create("err"), "w+b") as err):
        child = subprocess.Popen(argv, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        watcher = Watcher(child.pid)
        watcher.start()
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - start
        # A command that ended before the first sample still tells its own peak.
        peak = max(watcher.stop(), usage.ru_maxrss * 1024)
        child.returncode = os.waitstatus_to_exitcode(status)
        texts = [(file.seek(0), file.read().decode(errors="replace"))[1] for file in (out, err)]
    if child.returncode:
        raise SystemExit(f"error: exit {child.returncode} of {command}\n{texts[1][-4000:]}")
    return Usage(wall, usage.ru_utime + usage.ru_stime, peak), texts[0]
