"""The agent as one archive that any Python of 3.9 and later runs."""

import hashlib
import zipfile
from io import BytesIO
from pathlib import Path

_MAIN = "from vitrina_agent.loop import main\n\nmain()\n"


def archive() -> bytes:
    """A zip with ``__main__.py``; the same bytes for the same sources."""
    memory = BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_STORED) as packed:
        packed.writestr(zipfile.ZipInfo("__main__.py"), _MAIN)
        for source in sorted((Path(__file__).parent / "agent").glob("*.py")):
            packed.writestr(zipfile.ZipInfo(f"vitrina_agent/{source.name}"), source.read_bytes())
    return memory.getvalue()


def fingerprint() -> str:
    """A short hash of the agent's content."""
    return hashlib.sha256(archive()).hexdigest()[:12]
