# shellcheck shell=bash
# What set-up has added to this machine, one `kind value` a line, so that uninstalling takes away just that.

STATE_DIR=.plotline
STATE_FILE=$STATE_DIR/added

# Where the tools of GNU are not, as on macOS.
command -v sha256sum >/dev/null || sha256sum() { shasum -a 256 "$@"; }
command -v timeout >/dev/null || timeout() {
    shift
    "$@"
}

remember() {
    mkdir -p "$STATE_DIR"
    grep -qxF -- "$*" "$STATE_FILE" 2>/dev/null || printf '%s\n' "$*" >>"$STATE_FILE"
}

# added KIND: the values remembered under it.
added() { sed -n "s/^$1 //p" "$STATE_FILE" 2>/dev/null; }

forget() {
    local rest
    rest=$(grep -vxF -- "$*" "$STATE_FILE" 2>/dev/null) || true
    printf '%s' "${rest:+$rest$'\n'}" >"$STATE_FILE"
}

# apt_install PACKAGE...: those that are not there yet; they are remembered with what they brought along.
apt_install() {
    local before
    mkdir -p "$STATE_DIR"
    before=$(dpkg-query -f '${binary:Package}\n' -W | sort)
    run_logged "$STATE_DIR/apt.log" apt-get update -q || say "The package lists could not be refreshed; trying with the old ones."
    DEBIAN_FRONTEND=noninteractive run_logged "$STATE_DIR/apt.log" \
        apt-get install -y -q --no-install-recommends "$@" || fail "apt-get could not install: $*"
    while read -r package; do
        remember apt "$package"
    done < <(comm -13 <(echo "$before") <(dpkg-query -f '${binary:Package}\n' -W | sort))
}

# can_apt: whether this is a Debian or Ubuntu on which we may install packages.
can_apt() { [[ $EUID -eq 0 ]] && command -v apt-get >/dev/null; }
