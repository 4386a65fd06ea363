"""The screens in a browser: a page is served, and a bad address is one clear line."""

import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from simulator.classroom.web.serve import ServeError, serve


def free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return tried.getsockname()[1]


def test_a_page_is_served_that_needs_no_other_machine_and_speaks_the_language_of_the_screens():
    port = free_port()
    words = [sys.executable, "-m", "simulator.cli", "--lang", "es", "serve"]
    words += ["--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as served:
        try:
            told = served.stdout.readline().decode()
            place = f"http://127.0.0.1:{port}/"
            assert place.rstrip("/") in told
            page = fetched(place).decode()
            assert '<html lang="es">' in page
            assert "La sesión ha terminado." in page
            assert "http" not in page.partition("<script>")[0]
            files = re.findall(r'(?:src|href)="(static/[^"]+)"|url\("([^"]+)"\)', page)
            assert len(files) == 4
            assert all(fetched(place + (one or other)) for one, other in files)
        finally:
            served.terminate()


def fetched(url):
    """A server says that it begins a little before it does."""
    for _ in range(100):
        try:
            return urllib.request.urlopen(url, timeout=5).read()
        except urllib.error.HTTPError:
            raise
        except OSError:
            time.sleep(0.1)
    raise AssertionError(url)


def test_a_port_that_is_taken_is_one_clear_line():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ServeError, match=f"127.0.0.1:{port} can't be served at"):
            serve("127.0.0.1", port)


def test_a_host_that_there_is_not_is_one_clear_line():
    with pytest.raises(ServeError, match="can't be served at"):
        serve("no.such.host.invalid", 8000)
