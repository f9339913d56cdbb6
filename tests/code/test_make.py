"""The Makefile and the script that sets a checkout up."""

import re
import subprocess
import sys

import pytest

from tests.conftest import ROOT

NEWER = (".ONESHELL", ".SHELLFLAGS", "::=", "!=", "$(file ", "undefine", "&:", "$(let ", "$(intcmp ")
"""What GNU make learnt after 3.81, which macOS has."""


def make(*words):
    return subprocess.run(["make", "-n", *words], cwd=ROOT, capture_output=True, text=True, check=False)


def test_make_3_81_is_enough():
    text = (ROOT / "Makefile").read_text()
    assert [word for word in NEWER if word in text] == []
    recipes = [line for line in text.splitlines() if line.startswith("\t")]
    assert recipes and not [line for line in recipes if re.search(r"[^\\]\$\$?\w*=|^\tcd ", line)]


@pytest.mark.parametrize(
    "words, said",
    [
        (("film", "FLIM=Eviction"), "FLIM is not known here: choose from ASTRAI AT "),
        (("film", "AT=3"), "film does not take AT: it takes AUDIO FILM "),
        (("clean", "FILM=Chat"), "clean does not take FILM"),
        (("sheet", "FILM=Chat", "QUALITY=preview"), "sheet does not take QUALITY"),
    ],
)
def test_variables_that_do_not_apply_are_refused_in_a_line(words, said):
    done = make(*words)
    assert done.returncode == 2 and said in done.stderr and len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "words, runs",
    [
        (("film", "OUT=my film.mp4"), '-m scenes render "PrefixCache" --quality "final" -o "my film.mp4"'),
        (("films", "TRACE=a b.jsonl"), '-m scenes render --all --trace "a b.jsonl"'),
        (("record", "SCENARIO=my runs/mine.toml"), '-m astrai_sim record "my runs/mine.toml"'),
        (("record", "SCENARIO=mine", "PRIVATE=1", "OUT=a b.jsonl"), '"mine" --private -o "a b.jsonl"'),
        (("record-all", "DEVICE=cuda", "OUT=my traces"), '-m astrai_sim record-all --device "cuda" -o "my traces"'),
        (("plot", "TRACE=a/run.jsonl.gz"), '"a/run.jsonl.gz" -o "media/plots/run.png"'),
        (("plot", "SCENARIO=chat"), '"assets/traces/chat.jsonl.gz" -o "media/plots/chat.png"'),
        (("export", "TRACE=a/run.jsonl.gz"), '"a/run.jsonl.gz" --to "perfetto" -o "media/exports/run.pftrace"'),
        (("export", "SCENARIO=chat", "TO=csv"), '"assets/traces/chat.jsonl.gz" --to "csv" -o "media/exports/chat-csv"'),
        (("export", "TO=parquet", "OUT=my run"), '--to "parquet" -o "my run"'),
        (("film", "SCHEDULER=tcp://a:1"), '--quality "final" --scheduler "tcp://a:1"'),
        (("promo", "SCHEDULER=tcp://a:1"), 'astrai.toml" --scheduler "tcp://a:1"'),
        (("doctor", "TRACE=a b.jsonl"), '-m astrai_sim doctor "a b.jsonl"'),
        (("doctor", "TRACE=a.jsonl", "OUT=x y.mp4"), 'doctor "a.jsonl" --film -o "x y.mp4"'),
        (("list", "TRACE=x.jsonl"), '-m scenes list --trace "x.jsonl"'),
        (("test-engines", "ASTRAI=a b", "NANO=n"), 'try_engines.py --astrai "a"  --astrai "b" --nano "n"'),
        (("test-engines", "MINI_SGLANG=m", "ENGINE_PYTHON=p"), 'try_engines.py --mini-sglang "m" --python "p"'),
    ],
)
def test_what_is_given_is_passed_on_whole(words, runs):
    done = make(*words)
    assert done.returncode == 0 and runs in done.stdout


def test_the_script_is_plain_bash():
    assert subprocess.run(["bash", "-n", "setup.sh"], cwd=ROOT, check=False).returncode == 0
    text = (ROOT / "setup.sh").read_text()
    assert not re.search(r"declare -A|mapfile|readarray|\$\{\w+(,,|\^\^)|&>>|\[\[ -v|\bcoproc\b", text), (
        "newer than bash 3.2"
    )
    done = subprocess.run(["./setup.sh", "nonsense"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and done.stderr == "unknown: nonsense (nothing, smollm2, reference, fuzz or browser)\n"


def test_without_apt_get_it_names_packages_and_the_python_that_is_needed(tmp_path):
    """Run with a path that has nothing but what finds out what is missing."""
    for name in ("bash", "uname", "id", "dirname", "grep", "env"):
        (tmp_path / name).symlink_to(f"/usr/bin/{name}")
    (tmp_path / "setup.sh").write_text((ROOT / "setup.sh").read_text())
    words = ["/usr/bin/env", "-i", f"PATH={tmp_path}", "/bin/bash", str(tmp_path / "setup.sh")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert "python3" in done.stderr and "cairo pango" in done.stderr and "Python 3.11" in done.stderr


def test_skipped_tests_say_why(tmp_path):
    skipped = tmp_path / "test_nothing.py"
    skipped.write_text("import pytest\n\ndef test_it():\n    pytest.skip('there is no moon')\n")
    words = ["-m", "pytest", "-c", ROOT / "pyproject.toml", "-p", "no:cacheprovider", skipped]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    assert "there is no moon" in done.stdout.splitlines()[-2]
