# Two images: `sandbox`, in which people's code runs, and, last, `bot`. `make image` builds them (setup/image.sh).
# Only what the engine's older builder knows is used here: many servers have no other.
ARG BASE=debian:trixie-slim


FROM ${BASE} AS sandbox
ARG DEBIAN_FRONTEND=noninteractive

# From the host comes host/ca-certificates.crt, the authorities that it trusts: behind a proxy that opens TLS, pip
# fails without them, here and later in a session. Without that folder the pattern matches nothing.
COPY sandbox/guest/packages/core-system.txt sandbox/guest/packages/fonts.txt host* /opt/plotline/build/
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
RUN set -eu; cd /opt/plotline/build; \
    trust() { if [ -s ca-certificates.crt ]; then mkdir -p /etc/ssl/certs; cp ca-certificates.crt /etc/ssl/certs/; fi; }; \
    trust; \
    apt-get update -q; \
    sed 's/#.*//' core-system.txt | xargs apt-get install -y -q --no-install-recommends; \
    trust; \
    python3 -m venv /opt/python; \
    find /opt/python -name __pycache__ -exec rm -rf {} +; \
    # Of 130 MB of Noto fonts these files are what a chart needs: one weight of each script.
    fonts=$(mktemp -d); cd "$fonts"; apt-get download -q fonts-noto-core fonts-noto-cjk; \
    for package in *.deb; do dpkg-deb --fsys-tarfile "$package"; done | tar -x -i -C / --wildcards --no-anchored \
        NotoSansCJK-Regular.ttc NotoSansArabic-Regular.ttf NotoSansBengali-Regular.ttf NotoSansDevanagari-Regular.ttf \
        NotoSansHebrew-Regular.ttf NotoSansMath-Regular.ttf NotoSansSymbols2-Regular.ttf NotoSansTamil-Regular.ttf \
        NotoSansThai-Regular.ttf; \
    # Matplotlib cannot draw coloured emoji, and Debian has no others that are newer than 2016: these are a wheel's.
    PYTHONDONTWRITEBYTECODE=1 /opt/python/bin/pip download -q --no-cache-dir --no-deps --require-hashes -r /opt/plotline/build/fonts.txt \
        --cert /etc/ssl/certs/ca-certificates.crt; \
    python3 -c 'import glob, zipfile; zipfile.ZipFile(glob.glob("*.whl")[0]).extractall()'; \
    install -m 644 */NotoEmoji*.ttf /usr/share/fonts/truetype/noto/NotoEmoji.ttf; \
    rm -rf "$fonts" /usr/share/python-wheels/setuptools-* /var/lib/apt/lists/* /var/cache/apt/* /var/log/* /root/.cache; \
    find / -xdev -type f -perm /6000 -exec chmod a-s {} +

ENV PATH=/opt/python/bin:/usr/local/bin:/usr/bin:/bin \
    LANG=C.UTF-8 HOME=/tmp PYTHONDONTWRITEBYTECODE=1 \
    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 \
    JE_ARROW_MALLOC_CONF=background_thread:false \
    MPLCONFIGDIR=/tmp/.mpl MATPLOTLIBRC=/opt/plotline/mpl/matplotlibrc \
    IMAGEIO_FFMPEG_EXE=/usr/bin/ffmpeg

COPY sandbox/guest/packages/constraints.txt sandbox/guest/packages/core.txt sandbox/guest/packages/precompile.py \
    sandbox/guest/packages/slim.sh sandbox/guest/packages/fallback_fonts.py /opt/plotline/build/
RUN set -eu; cd /opt/plotline/build; \
    export PIP_CERT=/etc/ssl/certs/ca-certificates.crt PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore; \
    pip install -q --no-cache-dir --no-compile -c constraints.txt -r core.txt; \
    sh slim.sh; \
    python fallback_fonts.py; \
    # The root is read-only at run time: what is not compiled now would be compiled at each import.
    python precompile.py

# The full set, in layers of its own: a change of one of its lists leaves the others alone. In the core set they are empty.
ARG SET=core
COPY sandbox/guest/packages/full-system.txt /opt/plotline/build/
RUN set -eu; cd /opt/plotline/build; [ "$SET" = full ] || exit 0; \
    apt-get update -q; \
    sed 's/#.*//' full-system.txt | xargs apt-get install -y -q --no-install-recommends; \
    rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/*; \
    find / -xdev -type f -perm /6000 -exec chmod a-s {} +

COPY sandbox/guest/packages/full-office.txt /opt/plotline/build/
RUN set -eu; cd /opt/plotline/build; [ "$SET" = full ] || exit 0; \
    apt-get update -q; \
    sed 's/#.*//' full-office.txt | xargs apt-get install -y -q --no-install-recommends; \
    # A user without a name has no home for its settings.
    sed -i 's,^UserInstallation=.*,UserInstallation=file:///tmp/.libreoffice,' /usr/lib/libreoffice/program/bootstraprc; \
    rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/*; \
    find / -xdev -type f -perm /6000 -exec chmod a-s {} +

COPY sandbox/guest/packages/full.txt /opt/plotline/build/
RUN set -eu; cd /opt/plotline/build; [ "$SET" = full ] || exit 0; \
    export PIP_CERT=/etc/ssl/certs/ca-certificates.crt PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore; \
    pip install -q --no-cache-dir --no-compile -c constraints.txt -r full.txt; \
    find /opt/python/lib -name '*.py' -newer slimmed > new.txt; \
    sh slim.sh; \
    # What slim.sh deleted is missing, and some wheels carry files that no Python 3 can compile: neither matters.
    python -m compileall -q -j 0 --invalidation-mode unchecked-hash -i new.txt >/dev/null 2>&1 || true; \
    rm new.txt

COPY sandbox/guest/matplotlibrc /opt/plotline/mpl/matplotlibrc
# Looking for fonts takes most of a second: done once, here, by the kind of user that will read the result. A font
# that the style names and the image lacks ends the build.
RUN set -eu; if command -v fc-cache >/dev/null; then fc-cache -f; fi; chown nobody /opt/plotline/mpl; \
    setpriv --reuid nobody --clear-groups env MPLCONFIGDIR=/opt/plotline/mpl python -c \
    'from matplotlib import font_manager as f, rcParams; [f.findfont(n, fallback_to_default=False) for n in rcParams["font.family"]]'; \
    chown -R root:root /opt/plotline/mpl; chmod -R a+rX /opt/plotline/mpl

WORKDIR /workspace
ENTRYPOINT ["/opt/python/bin/python", "-I", "/opt/plotline"]

# Last, so that a change of the guest's code is a build of a second.
COPY sandbox/__init__.py sandbox/wire.py /opt/plotline/sandbox/
COPY sandbox/guest/ /opt/plotline/sandbox/guest/
RUN set -eu; ln -s sandbox/guest/__main__.py /opt/plotline/__main__.py; \
    chmod -R a+rX,go-w /opt/plotline; \
    python -m compileall -q --invalidation-mode unchecked-hash /opt/plotline


FROM ${BASE} AS bot
ARG DEBIAN_FRONTEND=noninteractive
COPY requirements.lock host* /opt/build/
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
RUN set -eu; cd /opt/build; \
    trust() { if [ -s ca-certificates.crt ]; then mkdir -p /etc/ssl/certs; cp ca-certificates.crt /etc/ssl/certs/; fi; }; \
    trust; \
    apt-get update -q; \
    apt-get install -y -q --no-install-recommends ca-certificates python3 python3-venv; \
    trust; \
    rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/*; \
    python3 -m venv /opt/python; \
    /opt/python/bin/pip install -q --no-cache-dir --cert /etc/ssl/certs/ca-certificates.crt --require-hashes -r requirements.lock
ENV PATH=/opt/python/bin:/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 PYTHONUNBUFFERED=1 DATA_DIR=/data
COPY pyproject.toml /opt/build/
COPY adapters /opt/build/adapters
COPY bot /opt/build/bot
COPY sandbox /opt/build/sandbox
RUN chmod -R a+rX /opt/build \
    && /opt/python/bin/pip install -q --no-cache-dir --cert /etc/ssl/certs/ca-certificates.crt --no-deps /opt/build \
    && /usr/sbin/useradd --create-home --uid 10001 plotline \
    # A volume that is mounted here for the first time takes over whose it is.
    && install -d -o plotline -g plotline -m 700 /data \
    && find / -xdev -type f -perm /6000 -exec chmod a-s {} +
USER plotline
WORKDIR /home/plotline
ENTRYPOINT ["plotline"]
