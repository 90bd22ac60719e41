# shellcheck shell=bash
# A Docker engine: the running one as it is; else the installed one, started; else, where apt can, a new one.

ENGINE_PID=$STATE_DIR/dockerd.pid
ENGINE_LOG=$STATE_DIR/dockerd.log
ENGINE_CONFIG=$STATE_DIR/daemon.json

engine_answers() { timeout 5 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

engine_ready() { command -v docker >/dev/null && engine_answers; }

engine_needs() {
    if command -v dockerd >/dev/null; then
        echo "the Docker engine started (it is installed but does not answer)"
    else
        echo "a Docker engine: packages docker.io and iptables, 300 MB of disk, 150 MB of memory while it runs"
    fi
}

engine_install() {
    [[ -z ${DOCKER_HOST:-} ]] || fail "No Docker engine answers at DOCKER_HOST=$DOCKER_HOST: start it, or unset DOCKER_HOST."
    if ! command -v dockerd >/dev/null; then
        can_apt || fail "No Docker engine answers: install Docker (as root on Debian or Ubuntu this is done for you), start it, and try again."
        say "Installing the Docker engine …"
        engine_apt
    fi
    engine_start
}

engine_apt() {
    local packages=(docker.io iptables)
    # Newer releases ship the client apart. One that is there already is left alone.
    if ! command -v docker >/dev/null && apt-cache show docker-cli >/dev/null 2>&1; then packages+=(docker-cli); fi
    apt_install "${packages[@]}"
    hash -r
}

engine_start() {
    [[ $EUID -eq 0 ]] || fail "No Docker engine answers: start it, or add yourself to its group 'docker'."
    if [[ -d /run/systemd/system ]] && command -v systemctl >/dev/null; then
        say "Starting the Docker service …"
        systemctl start docker || fail "The Docker service did not start: see 'systemctl status docker'."
        engine_wait || fail "The Docker service started but does not answer: see 'journalctl -u docker'."
        return
    fi
    # No init system here, so the daemon is ours to start, once one that is just ending has let go of its files.
    local try
    for try in {1..100}; do
        if engine_answers; then return; fi
        [[ -f /var/run/docker.pid ]] && kill -0 "$(</var/run/docker.pid)" 2>/dev/null || break
        sleep 0.2
    done
    mkdir -p "$STATE_DIR"
    say "Starting dockerd (log: $ENGINE_LOG) …"
    engine_launch
    if ! engine_wait && grep -qiE 'iptables|bridge|nf_tables' "$ENGINE_LOG"; then
        # Some hosts forbid what an engine's own network needs. Ours do without: sandboxes have none, and images are
        # built on the host's.
        say "It could not make its network; trying without one …"
        engine_launch --iptables=false --ip6tables=false --bridge=none
        engine_wait || true
    fi
    if ! engine_answers; then
        tail -n 15 "$ENGINE_LOG" >&2
        fail "dockerd does not answer: see $ENGINE_LOG."
    fi
    remember dockerd "$(<"$ENGINE_PID")"
    say "The engine answers (pid $(<"$ENGINE_PID"))."
}

# In a session of its own the daemon outlives this shell and its terminal.
engine_launch() {
    local config=()
    # A settings file of our own, so that gVisor can be added later; one that is there already counts instead.
    if [[ ! -e /etc/docker/daemon.json ]]; then
        [[ -f $ENGINE_CONFIG ]] || echo '{}' >"$ENGINE_CONFIG"
        config=(--config-file "$PWD/$ENGINE_CONFIG")
    fi
    rm -f "$ENGINE_PID"
    # shellcheck disable=SC2016  # expanded by that shell, whose pid dockerd keeps
    setsid --fork bash -c 'echo $$ >"$1"; shift; exec dockerd "$@"' dockerd "$ENGINE_PID" "${config[@]}" "$@" >"$ENGINE_LOG" 2>&1 </dev/null
}

# Half a minute is ample for a start; a dockerd that has ended is not waited for.
engine_wait() {
    local try
    for try in {1..150}; do
        if engine_answers; then return 0; fi
        if ((try > 5)) && [[ -s $ENGINE_PID ]] && ! kill -0 "$(<"$ENGINE_PID")" 2>/dev/null; then return 1; fi
        sleep 0.2
    done
    return 1
}
