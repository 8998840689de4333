"""The little programs in tools/, each on a machine made of pretended programs: what they run, and what they say."""

import subprocess
from pathlib import Path

import pytest

TOOLS = Path(__file__).parent.parent / "tools"
OLD = 'case "$*" in *version_info*) exit 1;; *--version*) echo "Python 3.9.2"; exit 0;; esac; exit 1'
BARE = 'case "$*" in *ensurepip*) exit 1;; *version_info*) exit 0;; esac; exit 1'
WHOLE = 'case "$*" in *"-m venv"*) echo "made $3";; esac; exit 0'


class Machine:
    """A machine on which only these programs can be found, and what was run on it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.ran = folder, folder / "ran"
        (folder / "bin").mkdir()
        for name in ("grep", "rm", "sh", "cat", "env"):
            (folder / "bin" / name).symlink_to(Path("/bin") / name)
        self.ran.touch()

    def has(self, name: str, script: str = "exit 0") -> None:
        """Put a program there that writes down how it was called, then runs `script`."""
        path = self.folder / "bin" / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >>{self.ran}\n{script}\n')
        path.chmod(0o755)

    def run(self, tool: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run one of our tools there."""
        return subprocess.run(
            ["/bin/sh", str(TOOLS / tool), *arguments],
            env={"PATH": str(self.folder / "bin"), **environment}, cwd=self.folder, text=True, capture_output=True,
            check=False,
        )  # fmt: skip

    @property
    def calls(self) -> list[str]:
        """How its programs were called, in order."""
        return self.ran.read_text().splitlines()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_virtual_environment_is_made_by_the_first_python_that_can(machine):
    machine.has("python3", OLD)
    machine.has("python3.13", BARE)
    machine.has("python3.11", WHOLE)
    made = machine.run("make-venv", ".venv")
    assert (made.returncode, made.stdout) == (0, "made .venv\n")


def test_a_working_environment_is_left_alone(machine, tmp_path):
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    machine.has("python", WHOLE)
    (tmp_path / "bin" / "python").rename(tmp_path / ".venv" / "bin" / "python")
    assert machine.run("make-venv", ".venv").returncode == 0
    assert machine.calls == [each for each in machine.calls if "-m venv" not in each]
    assert machine.calls


def test_the_python_that_was_named_comes_first(machine, tmp_path):
    machine.has("python3", WHOLE)
    machine.has("my-python", WHOLE)
    assert machine.run("make-venv", ".venv", PYTHON=str(tmp_path / "bin" / "my-python")).returncode == 0
    assert machine.calls[-1] == "my-python -m venv .venv"


@pytest.mark.parametrize(
    ("python", "said"),
    [(OLD, "this machine has Python 3.9.2"), (BARE, "apt install python3-venv"), ("", "this machine has none")],
)
def test_a_machine_without_a_fitting_python_is_told_the_remedy(machine, python, said):
    if python:
        machine.has("python3", python)
    failed = machine.run("make-venv", ".venv")
    assert failed.returncode == 1
    assert said in failed.stderr
    assert len(failed.stderr.splitlines()) == 1


DEBIAN = 'echo "  Candidate: 130.0"'
UBUNTU = 'echo "  Candidate: 2:1snap1-0ubuntu2"'


def chromium(machine: Machine, tmp_path: Path, *, playwright: str = "exit 0", python: str = "exit 1"):
    """Run tools/chromium where the environment has this playwright and this python."""
    machine.has("playwright", playwright)
    machine.has("python", python)
    return machine.run("chromium", str(tmp_path / "bin"))


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"])
def test_a_browser_that_is_there_is_taken(machine, tmp_path, name):
    machine.has(name)
    assert chromium(machine, tmp_path).returncode == 0
    assert machine.calls == []


def test_playwrights_own_is_taken_when_it_is_there_already(machine, tmp_path):
    machine.has("browser")
    assert chromium(machine, tmp_path, python=f"echo {tmp_path / 'bin' / 'browser'}").returncode == 0
    assert not any(each.startswith("playwright") for each in machine.calls)


def test_debian_installs_its_package(machine, tmp_path):
    machine.has("id", "echo 0")
    machine.has("apt-cache", DEBIAN)
    machine.has("apt-get")
    assert chromium(machine, tmp_path).returncode == 0
    assert machine.calls[-1] == "apt-get -qq install -y --no-install-recommends chromium"


def test_lists_that_were_never_fetched_are_fetched_first(machine, tmp_path):
    machine.has("id", "echo 0")
    machine.has("apt-cache", f'[ -e {tmp_path}/lists ] && {DEBIAN} || echo "  Candidate: (none)"')
    machine.has("apt-get", f'case "$*" in *update*) : >{tmp_path}/lists;; esac')
    assert chromium(machine, tmp_path).returncode == 0
    gets = [each for each in machine.calls if each.startswith("apt-get")]
    assert gets == ["apt-get -qq update", "apt-get -qq install -y --no-install-recommends chromium"]


def test_ubuntus_pointer_to_a_snap_is_passed_over_for_playwrights(machine, tmp_path):
    machine.has("id", "echo 0")
    machine.has("apt-cache", UBUNTU)
    machine.has("apt-get")
    assert chromium(machine, tmp_path).returncode == 0
    assert machine.calls[-1] == "playwright install --with-deps chromium"


def test_who_may_not_install_gets_playwrights_without_its_packages(machine, tmp_path):
    machine.has("id", "echo 1000")
    machine.has("apt-get")
    machine.has("sudo", "exit 1")
    machine.has("browser")
    fetched = f'case "$*" in *install*) : >{tmp_path}/fetched;; esac'
    found = f"[ -e {tmp_path}/fetched ] && echo {tmp_path / 'bin' / 'browser'}"
    assert chromium(machine, tmp_path, playwright=fetched, python=found).returncode == 0
    assert "playwright install chromium" in machine.calls
    assert not any(each.startswith("apt-get") for each in machine.calls)


def test_where_nothing_helps_the_remedy_is_one_sentence(machine, tmp_path):
    machine.has("id", "echo 1000")
    failed = chromium(machine, tmp_path, playwright="exit 1")
    assert failed.returncode == 1
    assert failed.stderr.startswith("The browser tests need Chromium: install it")
    assert len(failed.stderr.splitlines()) == 1
