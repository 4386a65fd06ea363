"""wget(1), curl(1) and nc(1): clients for trying a server out."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from simulator.machine.abi.constants import CLONE_FILES, O_CREAT, O_TRUNC, O_WRONLY, SHUT_WR
from simulator.machine.userland.options import UsageError, parse
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import IMAGES, enter
from simulator.machine.userland.servers import datagrams, http, serving
from simulator.machine.userland.servers.serving import Closed, Connection


async def _get(
    sys: Process, url: str, method: str, agent: str, headers: list[tuple[str, str]], body: bytes
) -> tuple[int, dict[str, str], bytes]:
    """One request. Raises ``SysError``, ``LookupError``, ``Closed``."""
    place = urlsplit(url if "://" in url else f"http://{url}")
    far = await serving.connect(sys, place.hostname or "", place.port or 80)
    target = (place.path or "/") + (f"?{place.query}" if place.query else "")
    own = [("Host", place.netloc), ("User-Agent", agent), ("Accept", "*/*"),
           ("Connection", "close"), *headers]  # fmt: skip
    async with serving.Closing(sys, far.fd):
        return await http.ask(sys, far, method, target, own, body)


@enter("wget", collection=IMAGES)
async def wget(sys: Process, argv: Sequence[str]) -> int:
    """``wget [-q] [-S] [-O FILE|-] [--spider] URL``."""
    options = parse(argv, "qSO:T:t:", {"spider": "!", "quiet": "q", "output-document": "O",
                                       "timeout": "T", "tries": "t"})  # fmt: skip
    if not options.rest:
        raise UsageError("missing URL")
    url = options.rest[0]
    host = urlsplit(url if "://" in url else f"http://{url}")
    name = options.value("O") or host.path.rpartition("/")[2] or "index.html"
    if not options.has("q"):
        await sys.err(f"Connecting to {host.netloc or url}\n")
    try:
        status, headers, body = await _get(sys, url, "GET", "Wget", [], b"")
    except LookupError:
        return await sys.complain(f"bad address '{host.netloc}'")
    except SysError as error:
        return await sys.complain(f"can't connect to remote host: {error.message}")
    except Closed:
        return await sys.complain("error getting response")
    if options.has("S"):
        await sys.err(f"  HTTP/1.1 {status}\n")
        await sys.err("".join(f"  {key}: {value}\n" for key, value in headers.items()))
    if status >= 400:
        return await sys.complain(f"server returned error: HTTP/1.1 {status}")
    if options.has("!"):
        return 0
    if name == "-":
        await sys.write(1, body)
        return 0
    fd = await sys.open(name, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    await sys.write(fd, body)
    await sys.close(fd)
    if not options.has("q"):
        await sys.err(f"saving to '{name}'\n'{name}' saved\n")
    return 0


@enter("curl", collection=IMAGES)
async def curl(sys: Process, argv: Sequence[str]) -> int:
    """``curl [-s] [-S] [-f] [-i] [-I] [-X METHOD] [-d DATA] [-H HEADER] [-o FILE] URL``."""
    options = parse(argv, "sSfiIX:d:H:o:Lvkm:", {"silent": "s", "fail": "f", "head": "I",
                    "request": "X", "data": "d", "header": "H", "output": "o"})  # fmt: skip
    if not options.rest:
        await sys.err("curl: try 'curl --help' for more information\n")
        return 2
    url = options.rest[0]
    data = "&".join(options.values.get("d", []))
    method = options.value("X") or ("HEAD" if options.has("I") else "POST" if data else "GET")
    pairs = [one.partition(":") for one in options.values.get("H", [])]
    headers = [(key.strip(), value.strip()) for key, _, value in pairs]
    place = urlsplit(url if "://" in url else f"http://{url}")
    try:
        status, found, body = await _get(sys, url, method, "curl/7.88.1", headers, data.encode())
    except LookupError:
        await sys.err(f"curl: (6) Could not resolve host: {place.hostname}\n")
        return 6
    except SysError as error:
        why = error.message
        await sys.err(
            f"curl: (7) Failed to connect to {place.hostname} port {place.port or 80}: {why}\n"
        )
        return 7
    except Closed:
        await sys.err("curl: (52) Empty reply from server\n")
        return 52
    if options.has("f") and status >= 400:
        await sys.err(f"curl: (22) The requested URL returned error: {status}\n")
        return 22
    if options.has("i") or options.has("I"):
        lines = "".join(f"{key.title()}: {value}\r\n" for key, value in found.items())
        await sys.out(f"HTTP/1.1 {status} {http.Answer(status).phrase}\r\n{lines}\r\n")
    if options.has("o"):
        fd = await sys.open(options.value("o"), O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        await sys.write(fd, body)
        await sys.close(fd)
        return 0
    await sys.write(1, body)
    return 0


@enter("nc", collection=IMAGES)
async def nc(sys: Process, argv: Sequence[str]) -> int:
    """``nc [-u] HOST PORT``, ``nc -z HOST PORT``, ``nc [-u] -l -p PORT``; ``-w SECONDS``."""
    options = parse(argv, "lp:zuvw:")
    seconds = options.value("w") if options.has("w") else "0"
    if options.has("l"):
        port = options.value("p") or (options.rest[-1] if options.rest else "0")
        if options.has("u"):
            return await datagrams.serve(sys, int(port), int(seconds))
        fd = await serving.listen(sys, int(port))
        accepted = await sys.value("accept", fd)
        return await _talk(sys, Connection(accepted))
    if len(options.rest) < 2 or not options.rest[1].isdigit():
        raise UsageError("usage: nc [-l] [-u] [-z] [-p PORT] [-w SECONDS] HOST PORT")
    host, port = options.rest[0], int(options.rest[1])
    if options.has("u"):
        return await datagrams.ask(sys, host, port, int(seconds))
    try:
        far = await serving.connect(sys, host, port)
    except LookupError:
        return await sys.complain(f"bad address '{host}'")
    except SysError as error:
        if options.has("v") or not options.has("z"):
            return await sys.complain(f"{host} ({host}:{port}): {error.message}")
        return 1
    if options.has("v"):
        await sys.err(f"{host} ({far.peer}:{port}) open\n")
    return 0 if options.has("z") else await _talk(sys, far)


async def _talk(sys: Process, far: Connection) -> int:
    async def upwards(own: Process) -> int:
        try:
            while data := await own.read(0):
                await far.send(own, data)
        except (SysError, Closed):
            return 0
        await own.succeeds("shutdown", far.fd, SHUT_WR)
        return 0

    await sys.spawn(upwards, CLONE_FILES)
    while data := await far.more(sys):
        await sys.write(1, data)
    return 0
