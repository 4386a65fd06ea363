"""The probe programs on this machine's own kernel, down to errno."""
