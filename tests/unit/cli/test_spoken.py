"""Help, usage and complaints in both languages."""

import os

import pytest

from simulator.cli.main import COMMANDS, run


# `vitrina compose` hands --help on to docker compose, which speaks English.
@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "compose"])
def test_every_command_helps_in_the_language_spoken(name, capsys):
    assert run(["--lang", "es", name, "--help"]) == 0
    spanish = capsys.readouterr().out
    assert spanish.startswith(f"Uso: vitrina {name} [OPCIONES]")
    assert "Muestra este mensaje y termina." in spanish

    assert run(["--lang", "en", name, "--help"]) == 0
    english = capsys.readouterr().out
    assert english.startswith(f"Usage: vitrina {name} [OPTIONS]")
    assert spanish.split("\n\n")[1] != english.split("\n\n")[1]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["run"], "Falta el argumento 'ESCENARIO'."),
        (["run", "--nope"], "No existe la opción '--nope'"),
        (["serve", "--port", "0"], "Valor no válido para '--port'"),
        (["run", "fs/chroot-escape", "--on"], "La opción '--on' necesita un argumento."),
    ],
)
def test_what_click_refuses_is_one_spanish_line(words, told, capsys, monkeypatch):
    monkeypatch.delenv("LANGUAGE", raising=False)
    assert run(["--lang", "es", *words]) == 2
    complaint = capsys.readouterr().err
    assert told in complaint
    assert complaint.count("\n") == 1
    assert "LANGUAGE" not in os.environ
