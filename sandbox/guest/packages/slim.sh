#!/bin/sh
# Run in the image's build after packages were installed: take out what is never used here. That is tests, C sources,
# the JupyterLab half of plotly, typing stubs that only jedi reads, and symbols for debuggers.
set -eu
site=$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')

find "$site" -type d \( -name tests -o -name sample_data \) -prune -exec rm -rf {} +
find "$site" -type f \( -name '*.[achi]' -o -name '*.[ch]pp' -o -name '*.px[di]' -o -name '*.pyx' \) -delete
rm -f "$site"/numpy/_core/_simd.*.so "$site"/numpy/_core/_*_tests.*.so
rm -rf "$site/jedi/third_party" "$site/jupyterlab_plotly" /opt/python/share/jupyter
# 170 MB, and the system's own does the same: IMAGEIO_FFMPEG_EXE names it.
rm -rf "$site"/imageio_ffmpeg/binaries/ffmpeg-*

# The X libraries in av's wheel are 30 MB, nearly all of it padding; Debian's do the same in half of one.
for library in drm Xau xcb xcb-shape xcb-shm xcb-xfixes; do
    ln -sf /usr/lib/*-linux-gnu/lib$library.so.? "$site"/av.libs/lib$library-????????.so.*
done

# Debian's files of these fonts are there already.
for font in "$site"/matplotlib/mpl-data/fonts/ttf/DejaVu*.ttf; do
    same=/usr/share/fonts/truetype/dejavu/${font##*/}
    [ ! -e "$same" ] || ln -sf "$same" "$font"
done

apt-get update -q
apt-get install -y -q --no-install-recommends binutils
# Only what is newer than the last time: a file that is written again is in the image twice.
marker=/opt/plotline/build/slimmed
[ -e "$marker" ] || touch -d @0 "$marker"
find "$site" -type f -newer "$marker" ! -path '*/kaleido/*' \( -name '*.so' -o -name '*.so.*' \) -exec strip --strip-unneeded {} +
apt-get purge -y -q --auto-remove binutils
rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/*
touch "$marker"
