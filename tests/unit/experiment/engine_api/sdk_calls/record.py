"""Write what a real dockerd answers to every call; what is known of ours stays where it differs."""

import json
import tempfile
from pathlib import Path
from typing import Any

from tests.unit.experiment.engine_api.sdk_calls import engines, suite


def main() -> None:
    """Needs root and a dockerd on this machine."""
    old = suite.expected() if suite.EXPECTED.exists() else {}
    with engines.real() as url:
        real = suite.told(url)
    with tempfile.TemporaryDirectory() as folder, engines.ours(Path(folder) / "sock") as url:
        ours = suite.told(url)
    told: dict[str, dict[str, Any]] = {}
    for name, answer in real.items():
        told[name] = {"real": answer}
        if ours[name] != answer:
            why = old.get(name, {}).get("why", "")
            told[name] |= {"ours": ours[name], "why": why}
            print(f"{name}\n  real: {answer}\n  ours: {ours[name]}\n  why:  {why or '?'}")
    suite.EXPECTED.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
