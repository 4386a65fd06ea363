"""dig(1): asks a name server, and prints all of its answer (BIND's form)."""

from collections.abc import Sequence

from simulator.machine.userland import calendar, resolver
from simulator.machine.userland.process import Process
from simulator.machine.userland.registry import IMAGES, enter
from simulator.machine.userland.servers import serving

_VERSION = "9.18.28"
_KINDS = ("A", "AAAA", "ANY", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT")


@enter("dig", collection=IMAGES)
async def dig(sys: Process, argv: Sequence[str]) -> int:
    """``dig [@SERVER] NAME [A] [+short]``."""
    words = [word for word in argv[1:] if not word.startswith(("+", "@", "-"))]
    servers = [word[1:] for word in argv[1:] if word.startswith("@")]
    kinds = [word.upper() for word in words if word.upper() in _KINDS]
    names = [word for word in words if word.upper() not in (*_KINDS, "IN")]
    kind, name = (kinds or ["A"])[0], (names or ["."])[0]
    if kind != "A":
        await sys.err(f"dig: {kind}: not simulated: this dig asks for addresses (A) only\n")
        return 1
    server = (servers or (await resolver.configured(sys)).addresses)[0]
    answer = await resolver.ask(sys, server, name)
    if not answer.status:
        await sys.out(f";; communications error to {server}#53: timed out\n"
                      ";; no servers could be reached\n")  # fmt: skip
        return 9
    if "+short" in argv:
        await sys.out("".join(f"{one}\n" for one in answer.addresses))
        return 0
    when = calendar.strftime("%a %b %d %H:%M:%S UTC %Y", await serving.now(sys))
    rows = "".join(f"{name + '.':<23}\t600\tIN\tA\t{one}\n" for one in answer.addresses)
    await sys.out(
        f"\n; <<>> DiG {_VERSION} <<>> {' '.join(argv[1:])}\n;; global options: +cmd\n"
        f";; Got answer:\n;; ->>HEADER<<- opcode: QUERY, status: {answer.status}, id: 32162\n"
        f";; flags: qr rd ra; QUERY: 1, ANSWER: {len(answer.addresses)}, AUTHORITY: 0,"
        f" ADDITIONAL: 0\n\n;; QUESTION SECTION:\n;{name}.\t\t\t\tIN\tA\n\n"
        + (f";; ANSWER SECTION:\n{rows}\n" if rows else "")
        + f";; Query time: 0 msec\n;; SERVER: {server}#53({server}) (UDP)\n;; WHEN: {when}\n"
        f";; MSG SIZE  rcvd: {len(name) + 18 + (len(name) + 16) * len(answer.addresses)}\n\n"
    )
    return 0
