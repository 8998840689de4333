"""The wheel, as somebody installs it: built offline, it brings its pages, mails and migrations, and needs no Node."""

import json
import shutil
import subprocess
import sys
import sysconfig
import urllib.request
import zipfile
from pathlib import Path

import pytest

from tests.houses import ROOT, start_house

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's wheel; made without a network from the assets that are built already."""
    if not (ROOT / "concierge" / "static" / "manifest.json").exists():
        pytest.fail("the assets are not built: make assets")
    folder = tmp_path_factory.mktemp("wheel")
    program = f"from hatchling.build import build_wheel; print(build_wheel({str(folder)!r}))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return folder / done.stdout.split()[-1]


def test_the_wheel_contains_the_house(wheel: Path):
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder, there in (("templates", "templates"), ("emails", "emails"), ("migrations", "migrations")):
        for file in (ROOT / folder).rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                assert f"concierge/_house/{there}/{file.relative_to(ROOT / folder).as_posix()}" in names
    assert {"concierge/static/app.css", "concierge/static/app.js"} <= names
    assert not {name for name in names if name.startswith(("tests/", "node_modules/", "benchmarks/"))}


def test_an_installed_wheel_runs_from_an_empty_folder_without_node(wheel: Path, tmp_path: Path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--no-index", "--no-deps", wheel], check=True)
    # What the wheel depends on is installed already, beside the tests; only the project itself comes from the wheel.
    site = next((tmp_path / "venv" / "lib").glob("python*/site-packages"))
    (site / "outer.pth").write_text(sysconfig.get_path("purelib"))
    empty = tmp_path / "empty"
    empty.mkdir()
    without_node = tmp_path / "bin"
    without_node.mkdir()
    assert shutil.which("node", path=str(without_node)) is None
    command = (str(python.with_name("concierge")),)
    house = start_house(tmp_path / "data", command=command, cwd=empty, environment={"PATH": str(without_node)})
    try:
        with urllib.request.urlopen(f"{house.url}/sign-in") as page:
            assert "Concierge" in page.read().decode()
        names = json.loads((site / "concierge" / "static" / "manifest.json").read_text())
        with urllib.request.urlopen(f"{house.url}/static/{names['app.css']}") as file:
            assert file.status == 200
    finally:
        assert house.close() == 0
    assert list(empty.iterdir()) == []
