"""The progress file: kept whole, set aside when broken, never overwritten blindly."""

import os

import pytest

from simulator.classroom.lessons.progress import Progress, ProgressError, read, write


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "deep" / "progress.json"
    told = Progress().with_answer("l", "q", "a", right=False).with_answer("l", "q", "b", right=True)
    write(told.at("l", 3), path)
    again, line = read(path)
    assert line == ""
    assert again.answered("l", "q").tries == 2
    assert again.answered("l", "q").done
    assert not again.answered("l", "q").first_right
    assert again.place == {"l": 3}
    assert os.listdir(path.parent) == ["progress.json"]


def test_done_stays_done():
    told = Progress().with_answer("l", "q", "b", right=True).with_answer("l", "q", "a", right=False)
    assert told.answered("l", "q").done
    assert told.answered("l", "q").first_right


@pytest.mark.parametrize(
    "broken", ["", "{", "[]", '{"format": 9}', '{"answers": 3}', "\0", "[" * 99999]
)
def test_a_broken_file_is_set_aside(tmp_path, broken):
    path = tmp_path / "progress.json"
    path.write_text(broken)
    told, line = read(path)
    assert told == Progress()
    assert "progress.json.broken-1" in line
    assert (tmp_path / "progress.json.broken-1").read_text() == broken
    path.write_text(broken)
    assert "broken-2" in read(path)[1]


def test_no_file_is_no_progress(tmp_path):
    assert read(tmp_path / "none.json") == (Progress(), "")


def test_a_place_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ProgressError, match="can't be written"):
        write(Progress(), tmp_path / "file" / "progress.json")


def test_a_directory_in_its_place_is_one_line(tmp_path):
    with pytest.raises(ProgressError, match="can't be read"):
        read(tmp_path)
