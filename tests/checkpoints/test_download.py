"""Whatever the network does, the file is whole and the right one or not there, and no file of the user is touched."""

import hashlib
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from checkpoints.file_server import Site, serving

from vsr_core.checkpoints.download import ATTEMPTS, download
from vsr_core.checkpoints.published import BLOCK, PublishedFile
from vsr_core.errors import DownloadError

CONTENT = Random(0).randbytes(2 * BLOCK + 12_345)
SHA256 = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
GIT = f"git:{hashlib.sha1(b'blob %d' % len(CONTENT) + bytes(1) + CONTENT).hexdigest()}"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def site():
    with serving(Site({"/weights.bin": CONTENT})) as running:
        yield running


def published(site: Site, digest: str | None = SHA256, size: int | None = None) -> PublishedFile:
    return PublishedFile("part/weights.bin", f"{site.url}/weights.bin", size, digest)


def fetch(file: PublishedFile, folder: Path, **options) -> Path:
    return download(file, folder, pause=0, **options)


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("digest", [SHA256, GIT, None])
def test_a_file_is_fetched_whole_and_told_of_its_progress(site, tmp_path, digest):
    told = []
    target = fetch(published(site, digest), tmp_path, progress=lambda *numbers: told.append(numbers))
    assert target == tmp_path / "part" / "weights.bin"
    assert target.read_bytes() == CONTENT
    assert names(tmp_path) == ["part/weights.bin"]
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert told == sorted(told)
    assert len(told) >= 3


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("digest", [SHA256, None])
def test_broken_connections_are_taken_up_again(site, tmp_path, digest, ranges):
    site.breaks, site.ranges = [BLOCK + 5, 1000], ranges
    assert fetch(published(site, digest), tmp_path).read_bytes() == CONTENT
    assert site.asked == [None, f"bytes={BLOCK + 5}-", f"bytes={BLOCK + 1005 if ranges else 1000}-"]


class Interrupted(BaseException):
    pass


def interrupt(*_) -> None:
    raise Interrupted


def test_an_interrupted_download_goes_on_in_the_next_run(site, tmp_path):
    with pytest.raises(Interrupted):
        fetch(published(site), tmp_path, progress=interrupt)
    assert not (tmp_path / "part" / "weights.bin").exists()
    assert fetch(published(site), tmp_path).read_bytes() == CONTENT
    assert site.asked == [None, f"bytes={BLOCK}-"]
    assert names(tmp_path) == ["part/weights.bin"]


def test_a_download_that_was_only_not_renamed_yet_is_not_fetched_again(site, tmp_path):
    done = []

    def interrupt_at_the_end(there: int, total: int | None) -> None:
        done.append(there)
        if there == total:
            raise Interrupted

    with pytest.raises(Interrupted):
        fetch(published(site), tmp_path, progress=interrupt_at_the_end)
    done.clear()
    assert fetch(published(site), tmp_path, progress=lambda *_: done.append(1)).read_bytes() == CONTENT
    assert done == []


@pytest.mark.parametrize(("before", "after"), [('"1"', '"2"'), (None, None)])
def test_parts_of_two_versions_are_never_joined(site, tmp_path, before, after):
    site.version = before
    with pytest.raises(Interrupted):
        fetch(published(site, digest=None), tmp_path, progress=interrupt)
    site.version, site.files["/weights.bin"] = after, CONTENT[::-1]
    assert fetch(published(site, digest=None), tmp_path).read_bytes() == CONTENT[::-1]
    assert site.asked == [None, f"bytes={BLOCK}-", None]


def test_a_part_that_is_longer_than_the_file_is_begun_anew(site, tmp_path):
    with pytest.raises(Interrupted):
        fetch(published(site), tmp_path, progress=interrupt)
    with next(tmp_path.rglob("*.part")).open("ab") as part:
        part.write(CONTENT)
    assert fetch(published(site), tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("kind", ["sha256", "git"])
def test_a_file_with_another_hash_is_refused_and_not_kept(site, tmp_path, kind):
    with pytest.raises(DownloadError, match=f"is not part/weights.bin: its hash is {kind}:.*not {kind}:00"):
        fetch(published(site, digest=f"{kind}:{'0' * 64}"), tmp_path)
    assert names(tmp_path) == []


def test_a_file_of_another_size_is_refused_and_not_kept(site, tmp_path):
    with pytest.raises(DownloadError, match=rf"it has {len(CONTENT):,} bytes, not 7"):
        fetch(published(site, digest=None, size=7), tmp_path)
    assert names(tmp_path) == []


def test_a_file_that_is_there_is_checked_and_not_fetched_again(site, tmp_path):
    target = fetch(published(site), tmp_path)
    site.asked.clear()
    assert fetch(published(site), tmp_path) == target
    assert site.asked == []


@pytest.mark.parametrize("known", [{"digest": SHA256}, {"digest": None, "size": len(CONTENT)}])
def test_a_file_of_the_user_is_left_alone(site, tmp_path, known):
    mine = tmp_path / "part" / "weights.bin"
    mine.parent.mkdir()
    mine.write_text("mine")
    with pytest.raises(DownloadError, match=r"exists, but is not.*left alone"):
        fetch(published(site, **known), tmp_path)
    assert mine.read_text() == "mine"
    assert names(tmp_path) == ["part/weights.bin"]
    assert site.asked == []


def test_a_file_that_appears_meanwhile_is_left_alone_and_so_is_the_download(site, tmp_path):
    mine = tmp_path / "part" / "weights.bin"
    with pytest.raises(DownloadError, match="appeared in the meantime"):
        fetch(published(site), tmp_path, progress=lambda *_: mine.write_text("mine"))
    assert mine.read_text() == "mine"
    assert next(tmp_path.rglob("*.part")).read_bytes() == CONTENT


def test_a_folder_in_its_place_is_named(site, tmp_path):
    (tmp_path / "part" / "weights.bin").mkdir(parents=True)
    with pytest.raises(DownloadError, match="it is no file"):
        fetch(published(site), tmp_path)


def test_a_place_that_cannot_be_written_is_named(site, tmp_path):
    (tmp_path / "part").write_text("no folder")
    with pytest.raises(DownloadError, match=r"weights.bin cannot be written: .*Choose another folder"):
        fetch(published(site), tmp_path)


@pytest.mark.parametrize(("status", "words"), [(404, "not there any more"), (401, "a login"), (403, "refuses access")])
def test_a_refusal_is_final_and_says_what_to_do(site, tmp_path, status, words):
    site.status = status
    with pytest.raises(DownloadError, match=rf"{words}\. Get the file by other means"):
        fetch(published(site), tmp_path)
    assert len(site.asked) == 1


def test_a_server_in_trouble_is_asked_a_few_times(site, tmp_path):
    site.status = 503
    with pytest.raises(DownloadError, match=r"answers 503 .*0.0 MB are kept; the same command goes on from there"):
        fetch(published(site), tmp_path)
    assert len(site.asked) == ATTEMPTS


def test_a_server_that_is_not_there_is_named(tmp_path):
    with serving(Site({})) as gone:
        file = published(gone)
    with pytest.raises(DownloadError, match=r"127.0.0.1:\d+/weights.bin is out of reach: "):
        fetch(file, tmp_path)


def test_a_file_that_does_not_fit_on_the_disk_is_refused_before_it_is_fetched(site, tmp_path):
    site.claims = 10**18
    with pytest.raises(DownloadError, match=r"has 1000000000.00 GB, .* are missing; the disk has"):
        fetch(published(site), tmp_path)
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.part")) == 0


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from vsr_core.checkpoints.download import download
from vsr_core.checkpoints.published import PublishedFile
from vsr_core.errors import DownloadError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, 1_500_000))
try:
    download(PublishedFile("weights.bin", sys.argv[1]), Path(sys.argv[2]), pause=0)
except DownloadError as error:
    print(error)
    sys.exit(3)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits the file size by a POSIX resource limit")
def test_a_disk_that_runs_full_keeps_what_is_there_for_the_next_run(site, tmp_path):
    command = [sys.executable, "-c", FULL_DISK, f"{site.url}/weights.bin", str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert run.returncode == 3, run.stderr
    assert "Free some space or choose another folder; 1.5 MB are kept" in run.stdout
    assert names(tmp_path) == [".weights.bin.part", ".weights.bin.part.json"]
    assert download(PublishedFile("weights.bin", f"{site.url}/weights.bin"), tmp_path).read_bytes() == CONTENT
    assert site.asked == [None, "bytes=1500000-"]
