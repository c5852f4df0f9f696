"""A real Elasticsearch for the tests: one that is given by its URL, one in Docker, or one from the server's own jars.

A server lives as long as somebody holds the write end of its FIFO, so it ends with the tests however they end.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

URL = "FLYWHEEL_TEST_ELASTICSEARCH_URL"
VERSION = os.environ.get("FLYWHEEL_TEST_ELASTICSEARCH_VERSION", "8.17.2")
NEEDED_JAVA = 17 if VERSION.startswith("8.") else 21
HERE = Path(__file__).parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "flywheel-log-tests"
PLUGIN = f"""description=HTTP and transport over Netty
version={VERSION}
name=transport-netty4
classname=org.elasticsearch.transport.netty4.Netty4Plugin
java.version=17
elasticsearch.version={VERSION}
extended.plugins=
has.native.controller=false
"""
SETTINGS = {
    "cluster.name": "flywheel-log-tests",
    "discovery.type": "single-node",
    "transport.port": "0",
    "network.host": "127.0.0.1",
    "cluster.routing.allocation.disk.threshold_enabled": "false",
}
# The server is a child of this shell and ends when the last writer of the FIFO, the shell's input, has gone.
KEEPER = '"$@" < /dev/null & child=$!; cat > /dev/null; kill $child; wait $child; rm -rf "$RUN"'


class NoServer(Exception):
    """There is no way to an Elasticsearch on this machine; the message says what is missing."""


@dataclass
class Server:
    """A running server of the tests' own; its process can be stopped, continued and killed."""

    url: str
    pid: int
    container: str
    keep: int

    def send(self, number: signal.Signals) -> None:
        """Send *number* to the server: SIGSTOP freezes it, SIGCONT thaws it, SIGKILL ends it at once."""
        if self.container:
            subprocess.run(["docker", "kill", f"--signal={number.name}", self.container], check=True)
        else:
            os.killpg(self.pid, number)

    def leave(self) -> None:
        """Let go of the server; it ends when everybody has."""
        os.close(self.keep)


def shared(session: str) -> Server:
    """Join the server that all workers of the test *session* share, or start it. Raises `NoServer`."""
    run = CACHE / f"session-{session}"
    with _locked(CACHE / "session.lock"):
        _sweep()
        keep = _hold(run / "alive")
        if keep is not None:
            return Server(**json.loads((run / "server.json").read_text()), keep=keep)
        return start(run)


def start(run: Path, port: int = 0) -> Server:
    """Start a server whose data lives in the directory *run*, and wait until it answers. Raises `NoServer`."""
    port = port or _free_port()
    container = f"flywheel-log-{uuid.uuid4().hex}" if _docker() else ""
    command = _in_docker(container, port) if container else _from_jars(run, port)
    run.mkdir(parents=True, exist_ok=True)
    fifo = run / "alive"
    fifo.unlink(missing_ok=True)
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    keep = os.open(fifo, os.O_WRONLY)
    os.set_blocking(reader, True)
    pid = _spawn(command, reader, run)
    server = Server(f"http://127.0.0.1:{port}", pid, container, keep)
    wait_until(lambda: _answers(server.url) or _ended(pid), 120, f"Elasticsearch starts; see {run}/log")
    assert _answers(server.url), f"Elasticsearch ended at once; see {run}/log"
    (run / "server.json").write_text(json.dumps({"url": server.url, "pid": server.pid, "container": container}))
    return server


def fetch() -> None:
    """Have the server's jars here, if it will be made of them. Raises `NoServer`."""
    if not os.environ.get(URL) and not _docker() and _java() and shutil.which("mvn"):
        _home()


def wait_until(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Wait for *condition*; AssertionError says *what* did not happen within *seconds*."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)


def _spawn(command: list[str], stdin: int, run: Path) -> int:
    """Start *command* and its keeper in a group of their own; the keeper reads *stdin*, which is closed here."""
    log = os.open(run / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    streams = [(os.POSIX_SPAWN_DUP2, source, target) for source, target in ((stdin, 0), (log, 1), (log, 2))]
    arguments = ["sh", "-c", KEEPER, "keeper", *command]
    pid = os.posix_spawn("/bin/sh", arguments, {**os.environ, "RUN": str(run)}, file_actions=streams, setpgroup=0)
    os.close(stdin)
    os.close(log)
    return pid


def _ended(pid: int) -> bool:
    return os.waitpid(pid, os.WNOHANG) != (0, 0)


def _answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/_cluster/health?wait_for_status=yellow&timeout=1s", timeout=2) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def _docker() -> bool:
    return bool(shutil.which("docker")) and _run("docker", "info").returncode == 0


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=False, capture_output=True, text=True)


def _in_docker(name: str, port: int) -> list[str]:
    settings = ("discovery.type=single-node", "xpack.security.enabled=false", "ES_JAVA_OPTS=-Xms512m -Xmx512m")
    environment = [word for setting in settings for word in ("-e", setting)]
    published = ["-p", f"127.0.0.1:{port}:9200"]
    return ["docker", "run", "--rm", "--name", name, *published, *environment, f"elasticsearch:{VERSION}"]


def _from_jars(run: Path, port: int) -> list[str]:
    java = _java()
    missing = [*([] if shutil.which("mvn") else ["Maven"]), *([] if java else [f"Java {NEEDED_JAVA} or newer"])]
    if missing:
        raise NoServer(
            f"no Elasticsearch: {URL} is not set, Docker does not answer, and {', '.join(missing)} is missing"
        )
    home = _home()
    settings = {**SETTINGS, "http.port": port, "path.data": run / "data", "path.logs": run / "logs"}
    options = ["-Xms512m", "-Xmx512m", "-p", str(home / "lib"), "--add-modules", "ALL-MODULE-PATH"]
    arguments = [f"{name}={value}" for name, value in settings.items()]
    return [java, *options, f"-Des.path.home={home}", str(HERE / "Launcher.java"), *arguments]


def _java() -> str:
    """The first Java that is new enough: JAVA_HOME's, the path's, those where Linux keeps them; "" if there is none."""
    homes = [Path(os.environ["JAVA_HOME"])] if os.environ.get("JAVA_HOME") else []
    system = sorted(Path("/usr/lib/jvm").glob("*"))
    found = [*(home / "bin/java" for home in homes), shutil.which("java"), *(home / "bin/java" for home in system)]
    return next((str(java) for java in found if java and _release(java) >= NEEDED_JAVA), "")


def _release(java: str | Path) -> int:
    """The feature release of *java*, e.g. 17; 0 if it does not run."""
    try:
        said = re.search(r'version "(\d+)', _run(str(java), "-version").stderr)
    except OSError:
        return 0
    return int(said[1]) if said else 0


def _home() -> Path:
    """The server's installation, laid out from its jars the first time."""
    home = CACHE / f"elasticsearch-{VERSION}"
    with _locked(CACHE / "home.lock"):
        if not home.exists():
            part = home.with_suffix(".part")
            shutil.rmtree(part, ignore_errors=True)
            for folder in ("lib", "config", "plugins", "modules/transport-netty4"):
                (part / folder).mkdir(parents=True)
            _download(part / "lib")
            for jar in [*part.glob("lib/netty-*.jar"), *part.glob("lib/transport-netty4-*.jar")]:
                jar.rename(part / "modules/transport-netty4" / jar.name)
            (part / "modules/transport-netty4/plugin-descriptor.properties").write_text(PLUGIN)
            part.rename(home)
    return home


def _download(folder: Path) -> None:
    maven = ["mvn", "-q", "-B", "-f", str(HERE / "pom.xml"), f"-Dserver.version={VERSION}"]
    done = _run(*maven, "dependency:copy-dependencies", f"-DoutputDirectory={folder}")
    if done.returncode:
        raise NoServer(f"no Elasticsearch: Maven could not fetch the jars of {VERSION}: {done.stdout[-500:]}")


def _hold(fifo: Path) -> int | None:
    """Open the write end of *fifo*, or say that nobody reads from it any more."""
    try:
        return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return None


def _sweep() -> None:
    """Remove what a server that was killed has left behind."""
    for run in CACHE.glob("session-*/"):
        keep = _hold(run / "alive")
        if keep is None:
            shutil.rmtree(run, ignore_errors=True)
        else:
            os.close(keep)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _free_port() -> int:
    """A port that nobody is given by chance while the server starts: below those the system hands out itself."""
    while True:
        port = random.randrange(12_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


if __name__ == "__main__":
    try:
        fetch()
    except NoServer as missing:
        sys.stderr.write(f"{missing}\n")  # The tests that need one say so, too.
