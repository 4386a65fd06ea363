"""The wire format of name questions and answers (RFC 1035), by dnslib, with types."""

from typing import Any, NamedTuple

import dnslib  # pyright: ignore[reportMissingTypeStubs]

_lib: Any = dnslib

NOERROR, SERVFAIL, NXDOMAIN = "NOERROR", "SERVFAIL", "NXDOMAIN"


class Question(NamedTuple):
    """What is asked: ``kind`` is ``A``, ``PTR`` ...; ``packet`` the datagram it came in."""

    name: str
    kind: str
    packet: bytes


class Reply(NamedTuple):
    """What is answered: ``status`` is one of the names above, or another of RFC 1035's."""

    number: int
    status: str
    values: tuple[str, ...]


def question(number: int, name: str, kind: str) -> bytes:
    """A datagram that asks a server to find ``name``."""
    asked = _lib.DNSQuestion(name, getattr(_lib.QTYPE, kind))
    return bytes(_lib.DNSRecord(_lib.DNSHeader(id=number, rd=1), q=asked).pack())


def reply(data: bytes, kind: str) -> Reply | None:
    """What a datagram answers with records of ``kind``; None when it is none."""
    try:
        record = _lib.DNSRecord.parse(data)
    except _lib.DNSError:
        return None
    values = tuple(str(one.rdata) for one in record.rr if _lib.QTYPE[one.rtype] == kind)
    return Reply(record.header.id, str(_lib.RCODE[record.header.rcode]), values)


def asked(data: bytes) -> Question | None:
    """What a datagram asks; None when it is no question."""
    try:
        record = _lib.DNSRecord.parse(data)
    except _lib.DNSError:
        return None
    if not record.questions:
        return None
    return Question(str(record.q.qname).rstrip("."), str(_lib.QTYPE[record.q.qtype]), data)


def answered(one: Question, status: str, values: list[str], seconds: int) -> bytes:
    """The datagram that answers ``one``, to be kept for so many ``seconds``."""
    answer = _lib.DNSRecord.parse(one.packet).reply(ra=1, aa=0)
    answer.header.rcode = getattr(_lib.RCODE, status)
    for value in values:
        data = getattr(_lib, one.kind)(value)
        kind = getattr(_lib.QTYPE, one.kind)
        answer.add_answer(_lib.RR(answer.q.qname, kind, ttl=seconds, rdata=data))
    return bytes(answer.pack())
