# shellcheck shell=bash
# What set-up tells and asks. All of it goes to stderr: stdout belongs to the command that follows.

say() { printf '\033[1mset-up\033[0m  %s\n' "$*" >&2; }

fail() {
    printf '\033[1mset-up\033[0m  %s\n' "$*" >&2
    exit 1
}

announce() {
    local part name argument
    say "This machine still needs:"
    for part in "$@"; do
        name=${part%%:*} argument=${part#"${part%%:*}"}
        printf '          - %s\n' "$("${name}_needs" "${argument#:}")" >&2
    done
    say "Free here: $(df -Ph . | awk 'NR == 2 { print $4 }') of disk$(free_memory)."
    say "Everything except packages stays in this directory and in the engine; 'make uninstall' takes it away."
}

free_memory() { awk '/^MemAvailable/ { printf ", %.1f GB of memory", $2 / 1e6 }' /proc/meminfo 2>/dev/null; }

consent() {
    local mode=${PLOTLINE_SETUP:-} answer
    if [[ -z $mode ]]; then
        if [[ -t 0 ]]; then mode=ask; else mode=auto; fi
    fi
    case $mode in
        auto) ;;
        never) fail "Not ready, and PLOTLINE_SETUP=never forbids installing: ${*%%:*} missing." ;;
        ask)
            read -rp "        Go ahead? [Y/n] " answer || answer=n
            [[ -z $answer || $answer == [yY]* ]] || fail "Nothing was changed."
            ;;
        *) fail "PLOTLINE_SETUP is '$mode'; it can be ask, auto or never." ;;
    esac
}

# run_logged LOG COMMAND...: keep a long command's output in a file, show a line of it now and then.
run_logged() {
    local log=$1 started=$SECONDS shown=$SECONDS pid
    shift
    "$@" >"$log" 2>&1 <&0 &
    pid=$!
    while kill -0 "$pid" 2>/dev/null; do
        if ((SECONDS - shown >= 5)); then
            shown=$SECONDS
            printf '          %3d s  %.90s\n' $((SECONDS - started)) "$(tail -n 1 "$log" | tr -d '\r\033')" >&2
        fi
        sleep 0.2
    done
    if ! wait "$pid"; then
        tail -n 25 "$log" >&2
        return 1
    fi
}
