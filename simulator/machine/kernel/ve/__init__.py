"""OpenVZ: a virtual environment is a tag on the task, and more than a hundred places ask for it.

``context`` is the tag, ``create`` makes one and enters it, ``beancounter`` counts what it holds,
``log`` is what it prints. Source: the RHEL 6 kernel 2.6.32-042stab, kernel/ve/ and kernel/bc/.
"""
