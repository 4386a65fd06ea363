"""The parts of the screens: each shows values that ``present`` computed."""
