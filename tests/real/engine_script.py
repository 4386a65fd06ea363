"""The commands of the real docker client that both engines answer, and what is masked of it.

A line of ``engine_script.txt`` is the words of one command. ``$ `` begins a line for the shell, in
which ``$T`` is a folder of its own and ``$START`` when the script began; ``tty: WORDS <<< TYPED``
types into a terminal.
"""

import os
import pty
import re
import select
import shlex
import subprocess
import time
from pathlib import Path

BOX = "vitrina:box"

SCRIPT = Path(__file__).with_suffix(".txt").read_text()

MASKS = (
    (r"\x1b\[[0-9;?]*[a-zA-Z]", ""),
    (r"\b(sha256:)?[0-9a-f]{64}\b", "<id>"),
    (r"\b[0-9a-f]{12}\b", "<short>"),
    (r"(file|dir|multi):[0-9a-f]+", "<copied>"),
    (r"(\b\d+ (seconds?|minutes?|months?)|Less than a second|About a minute) ago", "<ago>"),
    (r"Up Less than a second|Up \d+ seconds?", "Up"),
    (r"\b\d+(\.\d+)?([kKMGT]i?)?B\b", "<size>"),
    (r"BusyBox v.*\nEnter 'help' for .*\n", ""),
    (r"\b\d+\.\d\d%", "<percent>"),
    (r"\b172\.\d+\.\d+\.\d+", "<ip>"),
    (r"\bNetworkMode default\b|\] default$", "] bridge"),
    (r".*unable to start container process: ", "<oci> "),
    (r"(?m)^docker: Error response from daemon: ", "Error response from daemon: "),
    (r"(?m)^Server:.*", "Server:"),
    (r"(?m)^Removing intermediate", " ---> Removed intermediate"),
    (r"(?m)^ *\d+ +", "<pid> "),
    (r"tini \(\d+\)", "tini (<pid>)"),
    (r"\s+Run 'docker \w+ --help' for more information", ""),
    (r" {2,}", "  "),
    (r"no such image: [^:]+: (?=No such image)", ""),
    (r'("0s" )+', '"0s" '),
    (r"parse error line", "parse error on line"),
    (r"\.$|: unknown\.?$", ""),
)

KNOWN = {
    "rm long": "20.10 says the same in other words (daemon/delete.go)",
    "kill long": "20.10 begins with a capital (daemon/kill.go)",
    "kill -s HUP nosuch": "the same",
}
"""Commands that the engine of this machine, 20.10, answers otherwise than 27 does, and why."""


def masked(text: str) -> str:
    """What is the same in every run."""
    for pattern, word in MASKS:
        text = re.sub(pattern, word, text)
    return text.strip()


_ESCAPE = re.compile(rb"\x1b\[[0-9;?]*[a-zA-Z]")


class Client:
    """The docker command, speaking to one engine in a folder of its own."""

    def __init__(self, host: str, folder: Path) -> None:
        folder.mkdir()
        self.environ = {
            "PATH": os.environ["PATH"], "HOME": "/nonexistent", "DOCKER_HOST": host,
            "DOCKER_BUILDKIT": "0", "DOCKER_API_VERSION": "1.41", "T": str(folder),
            "START": str(int(time.time())), "TERM": "dumb",
        }  # fmt: skip

    def docker(self, *words: str, stdin: bytes = b"") -> tuple[int, str, str]:
        """One command: its status, its output, its complaints."""
        done = subprocess.run(
            words, input=stdin, capture_output=True, timeout=60, env=self.environ, check=False
        )
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def step(self, line: str) -> tuple[int, str, str]:
        """One line of the script, masked."""
        if line.startswith("tty: "):
            words, _, typed = line[5:].partition(" <<< ")
            code, out, err = self.terminal(["docker", *shlex.split(words)], typed)
        elif line.startswith("$ "):
            code, out, err = self.docker("sh", "-c", line[2:])
        else:
            code, out, err = self.docker("docker", *shlex.split(line))
        return code, masked(out), masked(err.replace(self.environ["T"], "$T"))

    def terminal(self, words: list[str], typed: str) -> tuple[int, str, str]:
        """A command on a terminal; what is typed goes in line by line, each after an answer."""
        main, side = pty.openpty()
        with subprocess.Popen(
            words, stdin=side, stdout=side, stderr=side, env=self.environ, start_new_session=True
        ) as process:
            os.close(side)
            lines = typed.encode().decode("unicode_escape").encode().splitlines(keepends=True)
            told, deadline = b"", time.monotonic() + 30
            while time.monotonic() < deadline:
                if lines and _ESCAPE.sub(b"", told).endswith((b"# ", b"$ ")):
                    os.write(main, lines.pop(0))
                    told += b"|"
                if select.select([main], [], [], 0.05)[0]:
                    try:
                        block = os.read(main, 4096)
                    except OSError:  # the other side was closed
                        break
                    told += block
            process.kill()
            code = process.wait(5)
        os.close(main)
        return code, told.decode().replace("\r\n", "\n").replace("|", ""), ""


def told(host: str, folder: Path) -> list[tuple[str, int, str, str]]:
    """Every line of the script with what came of it."""
    client = Client(host, folder)
    return [(line, *client.step(line)) for line in SCRIPT.strip().splitlines()]
