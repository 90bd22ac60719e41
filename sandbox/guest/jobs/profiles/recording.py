"""Sound and films, by their headers."""

from typing import Any

from sandbox.guest.jobs.profiles.finding import Broken, Finding
from sandbox.guest.jobs.profiles.source import Source
from sandbox.guest.jobs.profiles.wording import count, duration, plain, size


def profile(source: Source) -> Finding:
    """Sound or film. Raises `Broken`; ImportError where no library is there."""
    with open_recording(source) as container:
        # A cover picture is a video stream too.
        films = [each for each in container.streams.video if not _is_cover(each)]
        sounds = list(container.streams.audio)
        seconds = _seconds(container)
        length = duration(seconds) if seconds else "of unknown length"
        name = plain(container.format.long_name, 40)
        facts: list[str] = []
        if films:
            facts.append(f"Video, {length}: {_film(films[0], seconds)}")
            facts.append(f"Sound: {_sound(sounds[0])}" if sounds else "No sound")
        elif sounds:
            facts.append(f"Audio, {length}: {_sound(sounds[0])}")
        else:
            raise Broken("The recording has neither sound nor pictures.")
        if len(sounds) > 1:
            facts.append(f"{len(sounds)} sound tracks")
        if container.streams.subtitles:
            facts.append(f"{count(len(container.streams.subtitles), 'subtitle track')}")
        facts.append(f"Container: {name}, {size(source.size)}")
        tags = [
            f"{plain(key, 20)}: {plain(value, 60)}"
            for key, value in container.metadata.items()
            if key.lower() in {"title", "artist", "album", "date", "creation_time", "comment"}
        ]
        text = (*facts, *tags)
        return Finding("video" if films else "audio", text, tuple(facts))


def open_recording(source: Source) -> Any:  # PyAV is not typed here
    import av

    av.logging.set_level(None)
    try:
        return av.open(str(source.path))
    except (av.error.FFmpegError, ValueError) as error:
        raise Broken("The recording is damaged, cut off, or of a format that is not known here.") from error


def _is_cover(stream: Any) -> bool:
    return bool(int(stream.disposition) & 0x0400) or (
        _codec(stream) in {"png", "gif"} and not stream.average_rate
    )


def _codec(stream: Any) -> str:
    return stream.codec_context.name if stream.codec_context else "unknown"


def _seconds(container: Any) -> float:
    if container.duration:
        return float(container.duration) / 1_000_000
    lengths = [
        float(each.duration * each.time_base)
        for each in container.streams
        if each.duration and each.time_base
    ]
    return max(lengths, default=0.0)


def _film(stream: Any, seconds: float) -> str:
    rate = float(stream.average_rate or stream.guessed_rate or 0)
    frames = stream.frames or round(rate * seconds)
    shape = f"{stream.width} × {stream.height} pixels, {rate:g} frames a second, about {frames:,} frames"
    return f"{shape}, codec {_codec(stream)}"


def _sound(stream: Any) -> str:
    channels = {1: "mono", 2: "stereo"}.get(stream.channels, f"{stream.channels} channels")
    return f"{stream.rate:,} Hz, {channels}, codec {_codec(stream)}"
