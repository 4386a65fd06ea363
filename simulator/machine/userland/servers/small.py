"""hello, of the image hello-world; bash, which is the model's shell under another name."""

from collections.abc import Sequence

from simulator.machine.userland.process import Process
from simulator.machine.userland.registry import IMAGES, enter
from simulator.machine.userland.shell.main import main as shell

enter("bash", collection=IMAGES)(shell)

_TEXT = """
Hello from Docker, inside the glass case!
If you can read this, every part of the chain did its work:

 1. the client asked the daemon over its socket;
 2. the daemon looked for the image "hello-world", and pulled it when it was not there;
 3. the daemon made a container of that image and started the program that prints this;
 4. what the program printed went through the daemon to the client, and so to your terminal.

All of it happened on a simulated kernel: each step can be looked at, call by call.
Something bigger to try next:
 $ docker run -it ubuntu sh
"""


@enter("hello", collection=IMAGES)
async def hello(sys: Process, _argv: Sequence[str]) -> int:
    """What a first container prints."""
    await sys.out(_TEXT)
    return 0
