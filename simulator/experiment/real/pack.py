"""The agent as one archive, compiled for the interpreter that runs here and in the image.

An agent starts in every sandbox, so its start is what a real run costs: the archive holds bytecode
and stands in for ``typing``, whose import alone takes longer than all of the agent.
"""

import hashlib
import importlib.util
import marshal
import zipfile
from io import BytesIO
from pathlib import Path
from types import CodeType

from simulator.machine.abi import x86_64

_TYPING = """
class Any: pass
def cast(kind, value): return value
"""

_SHARED = {"numbers": Path(x86_64.__file__)}
"""Modules of the model that stand in the archive for the agent's own, which only import them."""

START = "import sys; sys.path.insert(0, {path!r}); from vitrina_agent.loop import main; main()"
"""What ``python -c`` is given: without runpy, which costs as much again."""


def archive() -> bytes:
    """A zip of modules; the same bytes for the same sources and interpreter."""
    memory = BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_STORED) as packed:
        _add(packed, "typing", _TYPING)
        for source in sorted((Path(__file__).parent / "agent").glob("*.py")):
            text = _SHARED.get(source.stem, source).read_text()
            _add(packed, f"vitrina_agent/{source.stem}", text)
    return memory.getvalue()


def _add(packed: zipfile.ZipFile, name: str, source: str) -> None:
    packed.writestr(zipfile.ZipInfo(f"{name}.pyc"), bytecode(source, f"{name}.py"))


def bytecode(source: str | bytes, name: str) -> bytes:
    """A .pyc file that is never compared with its source (PEP 552, unchecked hash)."""
    code: CodeType = compile(source, name, "exec", dont_inherit=True)
    return importlib.util.MAGIC_NUMBER + b"\1\0\0\0" + bytes(8) + marshal.dumps(code)


def fingerprint() -> str:
    """A short hash of the agent's content."""
    return hashlib.sha256(archive()).hexdigest()[:12]
