# shellcheck shell=bash
# The Python environment `.venv`, from the lock file; a stamp in it tells what it was made from.

VENV=.venv
VENV_STAMP=$VENV/plotline-stamp
export UV_SYSTEM_CERTS=1  # the host's authorities, not uv's own: some networks open TLS
export UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
# uv does not read pip's settings: an index that pip is told to use is passed on.
if [[ -n ${PIP_INDEX_URL:-} && -z ${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-} ]]; then export UV_DEFAULT_INDEX=$PIP_INDEX_URL; fi

python_stamp() { sha256sum requirements-dev.lock pyproject.toml; }

python_ready() { [[ -x $VENV/bin/python && -f $VENV_STAMP && $(<"$VENV_STAMP") == "$(python_stamp)" ]]; }

python_needs() {
    if [[ -d $VENV ]]; then
        echo "the Python environment $VENV, brought up to date with requirements-dev.lock"
    else
        echo "a Python environment in $VENV: 500 MB of disk, $(grep -c '==' requirements-dev.lock) packages"
    fi
}

python_install() {
    local python uv log=$STATE_DIR/python.log
    mkdir -p "$STATE_DIR"
    python=$(python_find)
    uv=$(uv_find "$python")
    say "Installing the Python environment …"
    if [[ ! -x $VENV/bin/python ]]; then
        rm -rf "$VENV"
        run_logged "$log" "$uv" venv -q --python "$python" "$VENV" || fail "The environment could not be made: see $log."
        remember directory "$VENV"
    fi
    VIRTUAL_ENV=$VENV run_logged "$log" "$uv" pip sync -q --require-hashes requirements-dev.lock \
        || fail "The packages could not be installed: see $log."
    VIRTUAL_ENV=$VENV run_logged "$log" "$uv" pip install -q --no-deps -e . \
        || fail "This project could not be installed into its environment: see $log."
    remember directory plotline.egg-info
    python_stamp >"$VENV_STAMP"
}

# The first Python that is new enough, and can make environments or has a uv that can.
python_find() {
    local candidate
    for candidate in "${PLOTLINE_PYTHON:-}" python3 python3.13 python3.12 python3.11 python3.14; do
        if [[ -n $candidate ]] && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    can_apt || fail "Python 3.11 or newer is needed: install it, or name it in PLOTLINE_PYTHON."
    apt_install python3 python3-venv
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "Python 3.11 or newer is needed: name one in PLOTLINE_PYTHON."
    command -v python3
}

# The uv on the PATH, or one of our own in .tools/.
uv_find() {
    local log=$STATE_DIR/python.log
    if command -v uv; then return; fi
    if [[ ! -x .tools/bin/uv ]]; then
        if ! "$1" -c 'import ensurepip' 2>/dev/null; then
            can_apt || fail "This Python cannot make environments: install its venv package (python3-venv), or uv."
            apt_install python3-venv
        fi
        rm -rf .tools
        run_logged "$log" "$1" -m venv .tools || fail "No environment for uv could be made: see $log."
        remember directory .tools
        run_logged "$log" .tools/bin/python -m pip install -q --disable-pip-version-check 'uv>=0.9' \
            || fail "uv could not be installed: see $log."
    fi
    echo "$PWD/.tools/bin/uv"
}
