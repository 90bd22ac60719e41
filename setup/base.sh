# shellcheck shell=bash
# The image that ours begin from: debian:trixie-slim where a registry answers, else the same made here.

BASE_PULLED=debian:trixie-slim
BASE_MADE=plotline-base:trixie

have_image() { docker image inspect "$1" >/dev/null 2>&1; }

# What is only known once the registry has been asked.
base_needs() {
    have_image "$BASE_MADE" || have_image "$BASE_PULLED" || command -v mmdebstrap >/dev/null || ! can_apt \
        || echo "; the package mmdebstrap, if no image registry answers"
}

# base_image: prints the name of a base that is in the engine, getting it there first.
base_image() {
    local base
    for base in "$BASE_MADE" "$BASE_PULLED"; do
        if have_image "$base"; then
            echo "$base"
            return
        fi
    done
    say "Fetching $BASE_PULLED …"
    # A network that drops packets instead of refusing them would keep a pull waiting for minutes.
    if timeout 120 docker pull -q "$BASE_PULLED" >/dev/null 2>&1; then
        remember image "$BASE_PULLED"
        echo "$BASE_PULLED"
        return
    fi
    base_make
    echo "$BASE_MADE"
}

base_make() {
    can_apt || fail "No image registry answers, and only Debian or Ubuntu as root can make the base image: docker load a '$BASE_PULLED' and try again."
    command -v mmdebstrap >/dev/null || apt_install mmdebstrap
    say "No image registry answers: making the base from Debian's packages …"
    local tar=$STATE_DIR/base.tar options=() option
    mkdir -p "$STATE_DIR"
    # What the slim images leave out too.
    for option in path-exclude={/usr/share/doc/'*',/usr/share/man/'*',/usr/share/info/'*',/usr/share/locale/'*'} \
        path-include=/usr/share/doc/'*'/copyright; do
        options+=("--dpkgopt=$option")
    done
    local sources=()
    mapfile -t sources < <(base_sources)
    # Without sources mmdebstrap takes Debian's usual mirror.
    run_logged "$STATE_DIR/base.log" mmdebstrap --variant=minbase --include=ca-certificates "${options[@]}" \
        --aptopt='Acquire::Languages "none"' trixie "$tar" "${sources[@]}" \
        || fail "The base image could not be made: see $STATE_DIR/base.log."
    docker import --change 'CMD ["bash"]' "$tar" "$BASE_MADE" >/dev/null
    rm -f "$tar"
    remember image "$BASE_MADE"
}

# The mirrors of the host's own apt, where that is a Debian, security updates with them.
base_sources() {
    local ID VERSION_CODENAME
    # shellcheck source=/dev/null
    source /etc/os-release
    [[ $ID == debian ]] || return 0
    # shellcheck disable=SC2016  # apt's variables, not the shell's
    apt-get indextargets --format 'deb $(REPO_URI) $(CODENAME) main' 'Created-By: Packages' 'Component: main' 2>/dev/null \
        | sed -nE "s/ $VERSION_CODENAME(-updates|-security)? main\$/ trixie\1 main/p" | sort -u
}
