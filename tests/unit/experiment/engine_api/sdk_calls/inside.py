"""Files of containers: archives, what was changed, exports."""

import io
import tarfile
from typing import Any

from tests.unit.experiment.engine_api.sdk_calls.suite import Sdk


def archive(**files: bytes) -> bytes:
    """A tar with these files."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def _got(s: Sdk, path: str) -> Any:
    bits, told = s.one("files").get_archive(path)
    with tarfile.open(fileobj=io.BytesIO(b"".join(bits))) as tar:
        names = [(one.name, one.type, oct(one.mode & 0o7777), one.uid, one.linkname) for one in tar]
    return names, told["name"], told["mode"] & 0o777, told["linkTarget"]


def _exported(s: Sdk) -> Any:
    with tarfile.open(fileobj=io.BytesIO(b"".join(s.one("files").export()))) as tar:
        names = {one.name.strip("/") for one in tar}
    return [name in names for name in ("bin/sh", "tmp/given", "etc/hosts", "proc", "tmp/gone")]


CALLS: tuple[tuple[str, Any], ...] = (
    ("a container", lambda s: s.run(["sleep", "1000"], detach=True, name="files",
                                    volumes={"files-v": {"bind": "/v"}}).name),
    ("put", lambda s: s.one("files").put_archive("/tmp", archive(given=b"ok", other=b"o"))),
    ("read what was put", lambda s: s.one("files").exec_run("cat /tmp/given").output),
    ("put to nowhere", lambda s: s.one("files").put_archive("/nosuch", archive(a=b""))),
    ("put on a file", lambda s: s.one("files").put_archive("/tmp/given", archive(a=b""))),
    ("put into a volume", lambda s: (s.one("files").put_archive("/v", archive(inside=b"v\n")),
                                     s.one("files").exec_run("cat /v/inside").output)),
    ("get a file", lambda s: _got(s, "/tmp/given")),
    ("get a directory", lambda s: (s.one("files").exec_run("mkdir -p /tmp/d/e").exit_code,
                                   _got(s, "/tmp/d"))),
    ("get what is inside a directory", lambda s: _got(s, "/tmp/d/.")),
    ("get nothing", lambda s: _got(s, "/nosuch")),
    ("get without a path", lambda s: s.api._result(s.api._get(
        s.api._url("/containers/{0}/archive", "files")))),
    ("get of nobody", lambda s: s.api.get_archive("nosuch", "/")),
    ("diff", lambda s: (s.one("files").exec_run("rm /bin/wc").exit_code, sorted(
        (one["Kind"], one["Path"]) for one in s.one("files").diff()))),
    ("diff of nobody", lambda s: s.api.diff("nosuch")),
    ("export", _exported),
    ("export of nobody", lambda s: s.api.export("nosuch")),
    ("stop, then get", lambda s: (s.one("files").stop(timeout=0), _got(s, "/tmp/given"))),
    ("stop, then put", lambda s: s.one("files").put_archive("/tmp", archive(late=b"l"))),
    ("stop, then read", lambda s: (s.one("files").start(),
                                   s.one("files").exec_run("cat /tmp/late").output)),
    ("read-only: put", lambda s: s.run(
        ["sleep", "1000"], detach=True, name="ro", read_only=True).put_archive(
        "/tmp", archive(a=b"x"))),
    ("mounts", lambda s: [
        {key: one[key] for key in ("Type", "Name", "Destination", "Driver", "Mode", "RW")}
        for one in s.one("files").attrs["Mounts"]]),
    ("volumes from another", lambda s: s.run("cat /v/inside", volumes_from=["files"],
                                             remove=True)),
    ("remove", lambda s: [s.one(name).remove(force=True, v=True) for name in ("files", "ro")]),
    ("a named volume lives on", lambda s: s.run(
        "cat /v/inside", volumes={"files-v": {"bind": "/v", "mode": "ro"}}, remove=True)),
    ("a volume that is read-only", lambda s: s.run(
        "touch /v/x", volumes={"files-v": {"bind": "/v", "mode": "ro"}}, remove=True)),
    ("remove the volume", lambda s: s.client.volumes.get("files-v").remove()),
)  # fmt: skip
