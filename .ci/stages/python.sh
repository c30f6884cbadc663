# SPDX-License-Identifier: MIT
# The package as a new user installs it, in a fresh environment, and what it has to pass.
python_install() { # NAME PIP-ARGUMENTS...
    local venv=$out/$1
    shift
    rm -rf "$venv"
    python3 -m venv "$venv" && "$venv/bin/pip" install -q --disable-pip-version-check '.[test]' "$@"
}

python_suite() { # NAME PYTEST-ARGUMENTS...
    local venv=$out/$1
    shift
    MPLBACKEND=Agg "$venv/bin/python" -m pytest -q -p no:cacheprovider "$@"
}

python_sanitized() {
    LD_PRELOAD=$(gcc -print-file-name=libasan.so) ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
        python_suite python-asan
}
