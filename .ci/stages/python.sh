# SPDX-License-Identifier: MIT
# The package as a new user installs it, in a fresh environment, and what it has to pass.
python_install() {
    rm -rf "$out/python"
    python3 -m venv "$out/python" && "$out/python/bin/pip" install -q --disable-pip-version-check '.[test]'
}

python_suite() { # PYTEST-ARGUMENTS...
    MPLBACKEND=Agg "$out/python/bin/python" -m pytest -q -p no:cacheprovider "$@"
}

# The oldest interpreter that the package promises, if this machine has one.
oldest_python() {
    local python
    for python in python3.9 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.9.*/bin/python; do
        "$python" -c 'import venv' 2>/dev/null && echo "$python" && return
    done
    return 1
}

python_oldest() { # PYTHON
    local place=$out/python-oldest
    rm -rf "$place"
    "$1" -m venv "$place" && "$place/bin/pip" install -q --disable-pip-version-check '.[numpy]' pytest && "$place/bin/python" -m pytest -q -p no:cacheprovider
}

# The installed package with a library under sanitizers beside it, which it finds first. Of the leaks only those with the library in their
# stack are ours: the interpreter never frees all of its own.
python_sanitized() {
    local build=$out/asan package=$out/python-asan
    if [ ! -f "$build/liblm.so" ]; then
        build=$out/python-asan-build
        configure "$build" -Dtests=false -Db_sanitize=address,undefined -Dbuildtype=debugoptimized -Db_lundef=false || return 1
    fi
    rm -rf "$package" "$out"/python-leaks.*
    mkdir -p "$package" && cp -r "$out"/python/lib/python3*/site-packages/lm "$package" && cp "$build/liblm.so" "$package/lm/liblm_python.so" &&
        PYTHONPATH=$PWD/$package LD_PRELOAD=$(gcc -print-file-name=libasan.so) ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=halt_on_error=1 \
            LSAN_OPTIONS=exitcode=0:log_path="$PWD/$out/python-leaks" python_suite --deselect tests/python/test_raw.py &&
        ! grep -h -B 4 ' in lm_' "$out"/python-leaks.*
}
