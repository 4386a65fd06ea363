"""Comments in programs, in the language of whoever reads them."""

from simulator.experiment.scenarios.comments import check_comments, spanish, told, told_text
from simulator.experiment.scenarios.load import find
from simulator.machine.abi import i18n


def test_every_comment_that_comes_with_vitrina_has_its_spanish_and_none_is_left_over() -> None:
    assert list(check_comments()) == []


def test_a_program_differs_between_the_languages_in_its_comments_alone() -> None:
    text = find("fs.chroot-escape").text
    english, comment = told_text(text), "the working directory stays outside the new root"
    i18n.use("es")
    assert told_text(text) == english.rstrip("\n").replace(comment, spanish()[comment])
    assert told("a comment from elsewhere") == "a comment from elsewhere"
    assert told_text("guest.chdir('#')  # mine") == "guest.chdir('#')  # mine"
