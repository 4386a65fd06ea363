"""Classic BPF as seccomp(2) runs it: a machine with an accumulator over ``struct seccomp_data``.

Source: linux/filter.h, kernel/seccomp.c. Programs were checked when they were installed.
"""

from collections.abc import Callable, Sequence

Program = tuple[tuple[int, ...], ...]

AUDIT_ARCH_X86_64 = 0xC000003E
WORD = 0xFFFFFFFF
SCRATCH = 16

_ALU: dict[int, Callable[[int, int], int]] = {
    0x00: lambda a, b: a + b,
    0x10: lambda a, b: a - b,
    0x20: lambda a, b: a * b,
    0x30: lambda a, b: a // b if b else 0,
    0x40: lambda a, b: a | b,
    0x50: lambda a, b: a & b,
    0x60: lambda a, b: a << b if b < 32 else 0,
    0x70: lambda a, b: a >> b if b < 32 else 0,
    0x80: lambda a, _b: -a,
    0xA0: lambda a, b: a ^ b,
}
_JUMP: dict[int, Callable[[int, int], bool]] = {
    0x10: lambda a, b: a == b,
    0x20: lambda a, b: a > b,
    0x30: lambda a, b: a >= b,
    0x40: lambda a, b: bool(a & b),
}


def run(program: Program, number: int, registers: Sequence[int]) -> int:
    """The filter's return value for call ``number`` with six 64-bit ``registers``."""
    data = [number & WORD, AUDIT_ARCH_X86_64, 0, 0]
    for at in range(6):
        value = registers[at] if at < len(registers) else 0
        data += [value & WORD, value >> 32 & WORD]
    accumulator = index = 0
    memory = [0] * SCRATCH
    at = 0
    while True:
        code, yes, no, k = program[at]
        at += 1
        kind, operand = code & 0x07, index if code & 0x08 else k
        if kind == 0x06:
            return accumulator if code & 0x10 else k
        if kind == 0x05:
            if code == 0x05:
                at += k
            else:
                at += yes if _JUMP[code & 0xF0](accumulator, operand) else no
        elif kind == 0x04:
            accumulator = _ALU[code & 0xF0](accumulator, operand) & WORD
        elif kind in (0x00, 0x01):
            value = _load(code, k, data, memory)
            accumulator, index = (value, index) if kind == 0 else (accumulator, value)
        elif kind == 0x07:
            accumulator, index = (index, index) if code & 0x80 else (accumulator, accumulator)
        else:
            memory[k] = accumulator if kind == 0x02 else index


def _load(code: int, k: int, data: list[int], memory: list[int]) -> int:
    if code & 0xE0 == 0x20:
        return data[k // 4]
    if code & 0xE0 == 0x60:
        return memory[k]
    return 64 if code & 0xE0 == 0x80 else k
