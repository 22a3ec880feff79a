"""What is made is its owner's alone from the first moment; nothing is written through a link."""

import os
import stat

import pytest

from airelays_app.store.private_file import (
    close_to_others,
    make_private_directory,
    open_private,
    replace_file,
)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request):
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_every_missing_parent_is_private_too(tmp_path):
    make_private_directory(tmp_path / "one" / "two" / "three")
    made = [tmp_path / "one", tmp_path / "one/two", tmp_path / "one/two/three"]
    assert [mode(each) for each in made] == [0o700] * 3


@pytest.mark.usefixtures("umask")
def test_a_replaced_file_is_private_and_so_are_the_folders_made_for_it(tmp_path):
    replace_file(tmp_path / "new" / "deeper" / "secret", b"1")
    assert mode(tmp_path / "new/deeper/secret") == 0o600
    assert mode(tmp_path / "new") == mode(tmp_path / "new/deeper") == 0o700


@pytest.mark.usefixtures("umask")
def test_an_opened_file_is_private(tmp_path):
    with open(tmp_path / "log", "wb", opener=open_private) as file:
        file.write(b"1")
    assert mode(tmp_path / "log") == 0o600


def test_existing_folders_keep_their_modes(tmp_path):
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o755)
    make_private_directory(tmp_path / "shared" / "own")
    assert mode(tmp_path / "shared") == 0o755


@pytest.mark.parametrize("make", ["touch", "symlink_to"])
def test_what_is_no_folder_is_refused(tmp_path, make):
    place = tmp_path / "place"
    getattr(place, make)(*([tmp_path / "nowhere"] if make == "symlink_to" else []))
    with pytest.raises(NotADirectoryError):
        make_private_directory(place)


def test_nothing_is_opened_through_a_link(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "log").symlink_to(victim)
    with pytest.raises(OSError, match="symbolic link"):
        open_private(tmp_path / "log", os.O_WRONLY | os.O_TRUNC)
    assert victim.read_text() == "precious"


def test_a_folder_of_ours_is_closed_and_a_shared_one_stays_open(tmp_path):
    for before, after in ((0o755, 0o700), (0o777, 0o700), (0o1777, 0o1777)):
        tmp_path.chmod(before)
        close_to_others(tmp_path)
        assert mode(tmp_path) == after
