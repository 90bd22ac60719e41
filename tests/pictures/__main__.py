"""Draws docs/slack.png and docs/discord.png anew. Needs an engine and the sandbox's image, and a Chromium
(`apt-get install chromium fonts-inter fonts-noto-color-emoji`):

    python -m tests.pictures
"""

import asyncio
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.pictures import discord, slack
from tests.pictures.page import WIDTH
from tests.pictures.played import ROOT, Played, play

PAGES: dict[str, Callable[[Played], str]] = {"slack": slack.html, "discord": discord.html}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SHARPNESS = 1.5
"""Pixels of the picture for one of the page."""
MEASURING = "<script>document.title = document.querySelector('main').offsetHeight</script>"


def main() -> int:
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.stderr.write("There is no Chromium to draw with: apt-get install chromium\n")
        return 1
    for platform, html in PAGES.items():
        with tempfile.TemporaryDirectory() as folder:
            page = html(asyncio.run(play(platform, Path(folder))))
            target = ROOT / "docs" / f"{platform}.png"
            draw(browser, page, target, Path(folder))
        print(f"{target.relative_to(ROOT)}  {target.stat().st_size // 1000} kB")
    return 0


def draw(browser: str, html: str, target: Path, folder: Path) -> None:
    """The page, as high as it is. `folder` is for files in between."""
    page = folder / "page.html"
    page.write_text(html + MEASURING, "utf-8")
    flags = ["--headless", "--no-sandbox", "--hide-scrollbars", f"--user-data-dir={folder / 'browser'}"]
    made = subprocess.run(
        [browser, *flags, "--dump-dom", page.as_uri()], check=True, capture_output=True, text=True
    )
    height = re.search(r"<title>(\d+)</title>", made.stdout)
    assert height, made.stderr
    size = f"--window-size={WIDTH},{height[1]}"
    shot = [f"--screenshot={target}", size, f"--force-device-scale-factor={SHARPNESS}"]
    subprocess.run([browser, *flags, *shot, page.as_uri()], check=True, capture_output=True)


if __name__ == "__main__":
    sys.exit(main())
