"""git(1), of which one thing is simulated: cloning the application of Docker's workshop."""

from collections.abc import Sequence

from simulator.machine.userland.process import Process
from simulator.machine.userland.registry import IMAGES, enter
from simulator.machine.userland.servers import packages

_PAGE = """<!DOCTYPE html>
<html>
<head><title>Todo App</title><script src="js/app.js"></script></head>
<body><p>A stand-in for the todo application: it keeps no items.</p></body>
</html>
"""
_APP = """function EmptyList() {
    return (
        <p className="text-center">No items yet! Add one above!</p>
    );
}
"""
_INDEX = """const express = require('express');
const app = express();

app.use(express.json());
app.use(express.static(__dirname + '/static'));

app.listen(3000, () => console.log('Listening on port 3000'));
"""
_PACKAGE = """{
  "name": "101-app",
  "version": "1.0.0",
  "main": "index.js",
  "scripts": {
    "dev": "nodemon -L src/index.js"
  },
  "dependencies": {
    "express": "^4.18.2",
    "mysql2": "^2.3.3",
    "sqlite3": "^5.1.2",
    "uuid": "^9.0.0"
  },
  "devDependencies": {
    "nodemon": "^2.0.20"
  }
}
"""
_FILES = {
    ".dockerignore": "node_modules\n",
    "README.md": "# A stand-in for the application of Docker's workshop\n",
    "package.json": _PACKAGE, "yarn.lock": "# simulated\n", "src/index.js": _INDEX,
    "src/static/index.html": _PAGE, "src/static/js/app.js": _APP,
    "spec/routes/getItems.spec.js": "// simulated\n",
}  # fmt: skip
_KNOWN = {
    f"https://github.com/docker/{name}{end}": name
    for name in ("getting-started-app", "getting-started")
    for end in ("", ".git")
}


@enter("git", collection=IMAGES)
async def git(sys: Process, argv: Sequence[str]) -> int:
    """``git clone URL [DIRECTORY]``, ``git --version``."""
    words = [word for word in argv[1:] if not word.startswith("-")]
    if "--version" in argv:
        await sys.out("git version 2.39.5\n")
        return 0
    if words[:1] != ["clone"] or len(words) < 2:
        what = words[0] if words else "help"
        await sys.err(f"git: {what}: not simulated: this git knows only clone\n")
        return 1
    name = _KNOWN.get(words[1].rstrip("/"))
    where = words[2] if len(words) > 2 else words[1].rstrip("/").rpartition("/")[2]
    where = where.removesuffix(".git")
    if name is None:
        await sys.err(
            f"git: clone {words[1]}: not simulated: there is no network beyond this machine; the"
            f" one repository here is {next(iter(_KNOWN))}\n"
        )
        return 128
    if await sys.succeeds("stat", where) and await sys.names(where):
        await sys.err(f"fatal: destination path '{where}' already exists and is not an empty"
                      " directory.\n")  # fmt: skip
        return 128
    await sys.err(f"Cloning into '{where}'...\n")
    for path, text in _FILES.items():
        await packages.note(sys, f"{where}/{path}", text)
    return 0
