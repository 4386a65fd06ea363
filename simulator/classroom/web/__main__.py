"""What is started for each visitor: the screens, talking to a browser instead of a terminal.

Arguments: the language, and the visitor's progress file where that isn't the user's.
"""

import os
import sys

from simulator.classroom.tui.app import main
from simulator.machine.abi import i18n

i18n.use(sys.argv[1] if sys.argv[1:] and sys.argv[1] in i18n.LANGUAGES else None)
if sys.argv[2:]:
    os.environ["VITRINA_PROGRESS"] = sys.argv[2]
main()
