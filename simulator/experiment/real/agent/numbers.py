"""Numbers of calls: in the archive the model's own table takes this module's place."""

from simulator.machine.abi.x86_64 import NUMBERS as NUMBERS
