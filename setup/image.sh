# shellcheck shell=bash
# Our images, each built when the sources that it is labelled with are no longer these: core and full are the
# sandbox's, bot is the bot's own.

image_tag() { if [[ $1 == bot ]]; then echo plotline-bot:latest; else echo "plotline-sandbox:$1"; fi; }

image_sources() {
    case $1 in
        core | full) echo Dockerfile sandbox/__init__.py sandbox/wire.py sandbox/guest ;;
        # The older builder goes through the targets in their order, so this one needs the sandbox's sources too.
        bot) echo Dockerfile sandbox adapters bot pyproject.toml requirements.lock ;;
        *) fail "There is no image '$1': it can be core, full or bot." ;;
    esac
}

image_hash() {
    local sources
    read -ra sources <<<"$(image_sources "$1")"
    find "${sources[@]}" -type f ! -path '*/__pycache__/*' -print0 | LC_ALL=C sort -z \
        | xargs -0 sha256sum | sha256sum | cut -c1-16
}

# image_ready SET: also false where no engine answers.
image_ready() {
    local built
    image_sources "$1" >/dev/null
    built=$(timeout 10 docker image inspect -f '{{index .Config.Labels "plotline.source"}}' "$(image_tag "$1")" 2>/dev/null) \
        && [[ $built == "$(image_hash "$1")" ]]
}

image_needs() {
    local size
    case $1 in
        core) size="600 MB of disk, one or two minutes to build; each sandbox then takes 90 MB of memory, at most 1 GB" ;;
        full) size="4 GB of disk, three to six minutes to build; each sandbox then takes 90 MB of memory, at most 1 GB" ;;
        bot) size="300 MB of disk, half a minute to build" ;;
    esac
    if timeout 10 docker image inspect "$(image_tag "$1")" >/dev/null 2>&1; then
        echo "the image $(image_tag "$1") built anew, since its sources have changed"
    else
        echo "the image $(image_tag "$1"): $size$(base_needs)"
    fi
}

image_install() {
    local base log=$STATE_DIR/image-$1.log
    mkdir -p "$STATE_DIR"
    base=$(base_image)
    say "Building $(image_tag "$1") (log: $log) …"
    # A pipe's members are shells of their own, so the build's failure has to be passed on here.
    image_context "$1" | image_build "$base" "$1" "$log" || fail "The image could not be built: see $log."
    remember image "$(image_tag "$1")"
    # What the tag pointed to before. One that a container still uses stays until the next time.
    docker image prune -f --filter label=plotline.source >/dev/null 2>&1 || true
    say "Built $(image_tag "$1"): $(docker image inspect -f '{{.Size}}' "$(image_tag "$1")" | sed 's/......$/ MB/')."
}

image_build() {
    # The host's network: an engine's own bridge often has no way out.
    local target=sandbox options=(--network host) name value
    if [[ $2 == bot ]]; then target=bot; else options+=(--build-arg "SET=$2"); fi
    while IFS='=' read -r name value; do
        options+=(--build-arg "$name=$value")
    done < <(image_network)
    run_logged "$3" docker build --force-rm --target "$target" -t "$(image_tag "$2")" \
        --build-arg "BASE=$1" --label "plotline.source=$(image_hash "$2")" "${options[@]}" -
}

# How this host reaches its package mirrors, as build arguments. The engine keeps proxies out of an image's history;
# the index's address stays in it, so one that holds a password is not passed on.
image_network() {
    local name proxy index=${PIP_INDEX_URL:-}
    for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
        if [[ -n ${!name:-} ]]; then echo "$name=${!name}"; fi
    done
    if [[ -z ${http_proxy:-} ]] && command -v apt-config >/dev/null; then
        eval "$(apt-config shell proxy Acquire::http::Proxy)"
        if [[ ${proxy:-} == http* ]]; then echo "http_proxy=$proxy"; fi
    fi
    [[ -n $index ]] || index=$(python3 -m pip config get global.index-url 2>/dev/null) || true
    if [[ $index == http* && $index != *@* ]]; then echo "PIP_INDEX_URL=$index"; fi
    if [[ ${PIP_EXTRA_INDEX_URL:-} == http* && $PIP_EXTRA_INDEX_URL != *@* ]]; then
        echo "PIP_EXTRA_INDEX_URL=$PIP_EXTRA_INDEX_URL"
    fi
}

# Only what the image is made of, so that nothing else in this directory is sent or can change the result; and the
# authorities that this host trusts.
image_context() {
    local host=$STATE_DIR/context/host bundle sources
    mkdir -p "$host"
    rm -f "$host/ca-certificates.crt"
    for bundle in "${SSL_CERT_FILE:-}" /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt; do
        if [[ -f $bundle ]]; then
            cp "$bundle" "$host/ca-certificates.crt"
            break
        fi
    done
    read -ra sources <<<"$(image_sources "$1")"
    tar -c --exclude=__pycache__ "${sources[@]}" -C "$STATE_DIR/context" host
}
