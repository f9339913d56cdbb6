"""The wheel works by itself, from another folder."""

import os
import subprocess
import sys
import zipfile

import pytest

from tests.conftest import ROOT


@pytest.mark.slow
def test_what_is_installed_records_and_tells(tmp_path):
    words = ["-m", "pip", "wheel", "-q", "--no-deps", "--disable-pip-version-check", "-w", str(tmp_path), str(ROOT)]
    subprocess.run([sys.executable, *words], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    env = {**os.environ, "PYTHONPATH": str(site)}

    def run(*words):
        done = subprocess.run(
            [sys.executable, "-P", "-m", *words], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("astrai_sim", "record", "fragmentation", "-o", "x.jsonl.gz", "--quiet")
    assert "Fragmentation" in run("scenes", "list", "--trace", "x.jsonl.gz")
    run("scenes", "stills", "PrefixCache", "--at", "3", "--size", "90p", "-o", "still")
    assert list((tmp_path / "still").glob("*.png"))
    names = zipfile.ZipFile(wheel).namelist()
    assert any(name.endswith("entry_points.txt") for name in names) and not any("tests/" in name for name in names)
