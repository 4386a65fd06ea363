"""The system calls, one file per subject: decode, check, call kernel/, return."""
