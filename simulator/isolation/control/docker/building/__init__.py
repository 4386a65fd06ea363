"""The classic builder: a Dockerfile and a context become an image, one layer a step.

moby ``builder/dockerfile``. ``dockerfile`` reads lines into stages, ``lex`` puts variables in,
``arguments`` takes an instruction's words apart, ``context`` and ``ignore`` are what COPY takes
from; ``instructions``, ``copying`` and ``running`` carry one out, ``builder`` all of them.

Why no parser library: dockerfile-parse, the one that is kept well on the package index, was tried.
It drops an instruction without arguments and one whose last line ends in a continuation, ends an
instruction at an empty line in a continuation, and knows neither flags nor ``${name:-word}``; the
daemon's own error for each of these is what students meet.
"""
