"""Starts a Flink session cluster on this machine: one JobManager and nodes with Python workers.

    python -m infra.flink.cluster up [NODES]        (also: make flink-up)
    python -m infra.flink.cluster down              (also: make flink-down)

A node is a TaskManager and a worker pool, which starts Python workers. Each is a process with
bounded memory on the loopback interface. The worker pool of node K listens on 127.0.0.K, and its
TaskManager resolves `localhost` to that address, as in a Kubernetes pod. Workers inherit the
environment of `up`, so set the store's address and credentials first.
"""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from infra.flink.jars import cache_folder, fetch_jars

ROOT: Final = Path(__file__).resolve().parents[2]
_WAIT_SECONDS: Final = 180.0
_OPENS: Final = (
    *(f"java.base/java.{name}" for name in ("lang", "net", "io", "nio", "text", "time", "util")),
    "java.base/java.lang.reflect",
    "java.base/sun.nio.ch",
    "java.base/java.util.concurrent",
    "java.base/java.util.concurrent.atomic",
    "java.base/java.util.concurrent.locks",
)
# A dead process is noticed within seconds because its port is closed. A slow one has a minute.
_SETTINGS: Final = {
    "heartbeat.interval": "2000",
    "heartbeat.timeout": "60000",
    "pekko.ask.timeout": "60 s",
    "pekko.startup-timeout": "120 s",
    "restart-strategy.type": "fixed-delay",
    "restart-strategy.fixed-delay.attempts": "60",
    "restart-strategy.fixed-delay.delay": "3 s",
    "taskmanager.load-balance.mode": "SLOTS",
    "parallelism.default": "1",
}
_NODE_SETTINGS: Final = {
    "taskmanager.cpu.cores": "1",
    "taskmanager.memory.framework.heap.size": "128mb",
    "taskmanager.memory.task.heap.size": "256mb",
    "taskmanager.memory.framework.off-heap.size": "64mb",
    "taskmanager.memory.task.off-heap.size": "64mb",
    "taskmanager.memory.managed.size": "64mb",
    "taskmanager.memory.network.min": "64mb",
    "taskmanager.memory.network.max": "64mb",
    "taskmanager.memory.jvm-metaspace.size": "256mb",
    "taskmanager.memory.jvm-overhead.min": "128mb",
    "taskmanager.memory.jvm-overhead.max": "128mb",
}
# The Java processes have little to do, so a simple garbage collector and compiler are enough.
_JVM: Final = (
    "-Xmx384m",
    "-XX:MaxDirectMemorySize=256m",
    "-XX:MaxMetaspaceSize=256m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
)


@dataclass(frozen=True, slots=True)
class Cluster:
    """The folder, the ports and the size of a cluster."""

    folder: Path
    """Process ids, logs and temporary files."""
    rest_port: int = 8081
    rpc_port: int = 6123
    pool_port: int = 50000
    nodes: int = 2
    slots: int = 2
    """Slots per node. With a spare slot, a job continues at once when a node is lost."""
    pinned: bool = False
    """Whether each node's workers run on one core of their own."""

    @property
    def master(self) -> str:
        """The value of `--flink_master`."""
        return f"localhost:{self.rest_port}"


def start(cluster: Cluster) -> None:
    """Start all processes and wait until the nodes have registered; exit if they do not."""
    (cluster.folder / "conf").mkdir(parents=True, exist_ok=True)
    (cluster.folder / "conf" / "config.yaml").write_text("{}\n")
    (cluster.folder / "conf" / "log4j.properties").write_text(_LOGGING)
    _start(cluster, "jobmanager", _master_command(cluster))
    for number in range(1, cluster.nodes + 1):
        start_node(cluster, number)
    wait_for_nodes(cluster, cluster.nodes)


def start_node(cluster: Cluster, number: int) -> None:
    """Start node `number` (from 1), or those of its two processes that are not running."""
    for name, command in (
        (f"workers-{number}", _pool_command(cluster, number)),
        (f"taskmanager-{number}", _node_command(cluster, number)),
    ):
        if not _is_running(_processes(cluster).get(name)):
            _start(cluster, name, command)


def stop(cluster: Cluster) -> list[str]:
    """Stop the processes that `start` started; return the names of those that were running."""
    running = {
        name: process for name, process in _processes(cluster).items() if _is_running(process)
    }
    for number in (signal.SIGTERM, signal.SIGKILL):
        for process in running.values():
            if _is_running(process):
                os.kill(int(process["pid"]), number)
        deadline = time.monotonic() + 10.0
        while time.monotonic() < deadline and any(map(_is_running, running.values())):
            time.sleep(0.1)
    (cluster.folder / "processes.json").unlink(missing_ok=True)
    return list(running)


def kill(cluster: Cluster, name: str) -> None:
    """Kill one process with SIGKILL, and wait until it is gone."""
    process = _processes(cluster)[name]
    os.kill(int(process["pid"]), signal.SIGKILL)
    deadline = time.monotonic() + 10.0
    while time.monotonic() < deadline and _is_running(process):
        time.sleep(0.05)


def workers(cluster: Cluster, number: int) -> list[int]:
    """Return the process ids of node `number`'s Python workers."""
    pool = int(_processes(cluster)[f"workers-{number}"]["pid"])
    children = Path(f"/proc/{pool}/task").glob("*/children")
    return [int(child) for file in children for child in file.read_text().split()]


def _rest_get(cluster: Cluster, path: str) -> dict[str, Any]:
    """Return the JSON document at `path` of the cluster's REST API."""
    with urllib.request.urlopen(f"http://{cluster.master}/{path}", timeout=5) as response:
        document: dict[str, Any] = json.load(response)
        return document


def wait_for_nodes(cluster: Cluster, count: int) -> None:
    """Wait until `count` nodes have registered; exit with a message if they do not."""
    deadline = time.monotonic() + _WAIT_SECONDS
    registered = 0
    while time.monotonic() < deadline:
        try:
            registered = int(_rest_get(cluster, "overview")["taskmanagers"])
        except (urllib.error.URLError, OSError, ValueError):
            registered = 0
        if registered >= count:
            return
        time.sleep(0.25)
    sys.exit(
        f"{registered} of {count} nodes registered within {_WAIT_SECONDS:.0f} s; "
        f"see {cluster.folder}/*.log"
    )


def _master_command(cluster: Cluster) -> list[str]:
    settings = {
        **_SETTINGS,
        "jobmanager.rpc.address": "127.0.0.1",
        "jobmanager.rpc.port": str(cluster.rpc_port),
        "jobmanager.bind-host": "127.0.0.1",
        "rest.address": "127.0.0.1",
        "rest.bind-address": "127.0.0.1",
        "rest.port": str(cluster.rest_port),
        "io.tmp.dirs": str(cluster.folder),
    }
    main = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
    return _java(cluster, main, settings)


def _node_command(cluster: Cluster, number: int) -> list[str]:
    hosts = cluster.folder / "conf" / f"hosts-{number}"
    hosts.write_text(f"127.0.0.{number} localhost\n127.0.0.1 {os.uname().nodename}\n")
    settings = {
        **_SETTINGS,
        **_NODE_SETTINGS,
        "jobmanager.rpc.address": "127.0.0.1",
        "jobmanager.rpc.port": str(cluster.rpc_port),
        "taskmanager.host": "127.0.0.1",
        "taskmanager.bind-host": "127.0.0.1",
        "taskmanager.resource-id": f"node-{number}-{time.time_ns()}",
        "taskmanager.numberOfTaskSlots": str(cluster.slots),
        "io.tmp.dirs": str(cluster.folder),
    }
    main = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"
    return _java(cluster, main, settings, f"-Djdk.net.hosts.file={hosts}")


def _pool_command(cluster: Cluster, number: int) -> list[str]:
    core = sorted(os.sched_getaffinity(0))[(number - 1) % len(os.sched_getaffinity(0))]
    pin = ["taskset", "--cpu-list", str(core)] if cluster.pinned else []
    return [
        *pin,
        sys.executable,
        "-m",
        "seefood_pipeline.worker_pool",
        f"127.0.0.{number}:{cluster.pool_port}",
    ]


def _java(cluster: Cluster, main: str, settings: dict[str, str], *options: str) -> list[str]:
    opens = [f"--add-opens={package}=ALL-UNNAMED" for package in _OPENS]
    logging = f"-Dlog4j.configurationFile={cluster.folder}/conf/log4j.properties"
    dynamic = [part for name, value in settings.items() for part in ("-D", f"{name}={value}")]
    conf = str(cluster.folder / "conf")
    return [
        "java",
        *_JVM,
        *options,
        *opens,
        logging,
        "-cp",
        fetch_jars().flink_path,
        main,
        "--configDir",
        conf,
        *dynamic,
    ]


def _start(cluster: Cluster, name: str, command: list[str]) -> None:
    with (cluster.folder / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C in the terminal must not reach the cluster
        )
    processes = {
        **_processes(cluster),
        name: {"pid": process.pid, "started": _start_ticks(process.pid)},
    }
    (cluster.folder / "processes.json").write_text(json.dumps(processes, indent=2))


def _processes(cluster: Cluster) -> dict[str, dict[str, Any]]:
    try:
        processes: dict[str, dict[str, Any]] = json.loads(
            (cluster.folder / "processes.json").read_text()
        )
    except FileNotFoundError:
        return {}
    return processes


def _is_running(process: dict[str, Any] | None) -> bool:
    """Whether the process still runs. Compares the start time, as process ids are reused."""
    return process is not None and _start_ticks(int(process["pid"])) == process["started"]


def _start_ticks(pid: int) -> str | None:
    """Return a process's start time in clock ticks since boot; None if it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


_LOGGING: Final = """\
rootLogger.level = INFO
rootLogger.appenderRef.out.ref = out
appender.out.name = out
appender.out.type = CONSOLE
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{HH:mm:ss.SSS} %-5p %c{1} %m%n
"""


def main(arguments: list[str]) -> None:
    """Start or stop this user's cluster."""
    nodes = int(arguments[1]) if len(arguments) > 1 else 2
    cluster = Cluster(cache_folder() / "cluster", nodes=nodes)
    if arguments[:1] == ["up"]:
        start(cluster)
        print(f"# {nodes} nodes; logs in {cluster.folder}; stop it with `make flink-down`")
        print(f"seefood classify … -- --runner=FlinkRunner --flink_master={cluster.master}")
    else:
        print(f"stopped {', '.join(stop(cluster)) or 'nothing; no process was running'}")


if __name__ == "__main__":
    main(sys.argv[1:])
