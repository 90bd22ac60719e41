# shellcheck shell=bash
# gVisor's runtime `runsc` beside runc, for the tests that hold on both. Where it cannot be had, they are left out.

gvisor_known() { timeout 10 docker info -f '{{json .Runtimes}}' 2>/dev/null | grep -q '"runsc"'; }

GVISOR_REFUSED=$STATE_DIR/gvisor-refused

# Only an engine that set-up started is changed. Not every release has the package, and not every host lets it run.
gvisor_possible() {
    can_apt && [[ ! -e $GVISOR_REFUSED && -s $ENGINE_PID ]] && kill -0 "$(<"$ENGINE_PID")" 2>/dev/null && [[ -f $ENGINE_CONFIG ]] \
        && { command -v runsc || apt-cache show runsc; } >/dev/null 2>&1
}

gvisor_ready() { engine_ready && { gvisor_known || ! gvisor_possible; }; }

gvisor_needs() { echo "gVisor: the package runsc, 25 MB of disk, made known to the engine that set-up started"; }

gvisor_install() {
    if ! gvisor_possible; then return; fi
    command -v runsc >/dev/null || apt_install runsc
    # Without a platform of its own it asks for /dev/kvm or for traps that many hosts lack.
    cat >"$ENGINE_CONFIG" <<JSON
{"runtimes": {"runsc": {"path": "$(command -v runsc)", "runtimeArgs": ["--platform=ptrace", "--network=none"]}}}
JSON
    kill -HUP "$(<"$ENGINE_PID")"
    local try
    for try in {1..50}; do
        if gvisor_known; then break; fi
        sleep 0.2
    done
    if ! gvisor_runs >"$GVISOR_REFUSED" 2>&1; then
        echo '{"runtimes": {}}' >"$ENGINE_CONFIG"
        kill -HUP "$(<"$ENGINE_PID")"
        say "gVisor does not run here: the tests that need it are left out (why: $GVISOR_REFUSED)."
    else
        rm -f "$GVISOR_REFUSED"
    fi
}

gvisor_runs() { timeout 60 docker run --rm --network none --runtime runsc --entrypoint true "$(image_tag core)"; }
