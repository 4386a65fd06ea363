"""The screens in a browser: a page is served, and a bad address is one clear line."""

import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from simulator.classroom.web.serve import ServeError, serve


def free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return tried.getsockname()[1]


def test_a_page_is_served():
    port = free_port()
    words = [sys.executable, "-m", "simulator.cli", "serve", "--host", "127.0.0.1", "--port"]
    with subprocess.Popen([*words, str(port)], stdout=subprocess.DEVNULL) as served:
        try:
            for _ in range(300):
                try:
                    page = urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).read()
                    break
                except OSError:
                    time.sleep(0.1)
            assert b"Vitrina" in page
            assert b"textual" in page
        finally:
            served.terminate()


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
