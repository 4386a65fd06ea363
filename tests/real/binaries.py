"""The smallest programs that a stranger can bring: one system call, made by hand."""

import struct

AMD64, I386 = b"\x0f\x05", b"\xcd\x80"
"""syscall; int 0x80."""


def calling(number: int, *args: int, instruction: bytes = AMD64) -> bytes:
    """An ELF file that makes one call and exits with its errno (0: the call was made)."""
    code = b""
    registers = (b"\x48\xbf", b"\x48\xbe", b"\x48\xba", b"\x49\xba", b"\x49\xb8", b"\x49\xb9")
    for register, value in zip(registers, args, strict=False):
        code += register + struct.pack("<Q", value & (1 << 64) - 1)
    code += b"\xb8" + struct.pack("<I", number) + instruction
    # xor edi, edi; test eax, eax; jns over; neg eax; mov edi, eax; over: exit_group(edi)
    code += bytes.fromhex("31ff85c07904f7d889c7b8e70000000f05")
    base, size = 0x400000, 64 + 56 + len(code)
    header = b"\x7fELF\2\1\1" + bytes(9)
    header += struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, base + 120, 64, 0, 0, 64, 56, 1, 64, 0, 0)
    return header + struct.pack("<IIQQQQQQ", 1, 5, 0, base, base, size, size, 4096) + code


def brought(path: str, program: bytes) -> str:
    """A shell line that writes the program to ``path`` and runs it."""
    octal = "".join(f"\\{byte:03o}" for byte in program)
    return f"printf '{octal}' > {path}; chmod 755 {path}; {path}"
