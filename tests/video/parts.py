"""Write a video in segments and join them; look at the packets of a file; make a file with a bit of everything."""

from fractions import Fraction
from pathlib import Path

import av
import media

from vsr_core.video import Quality, join_segments, probe, read_frames, segment_writer

SUBTITLES = """1
00:00:00,200 --> 00:00:00,700
Hello

2
00:00:00,900 --> 00:00:01,600
Good
bye
"""
CHAPTERS = (("Beginning", 0, 800), ("End", 800, 2000))
"""Title, start and end in milliseconds."""


def write_segments(source, folder, bounds, quality, *, info=None, start=0, **options):
    """Write frames [bounds[0], bounds[1]), ... of `source` unchanged as one segment each; return their paths."""
    info = info or probe(source)
    paths = []
    for number, (begin, end) in enumerate(zip(bounds, bounds[1:])):
        path = folder / f"segment_{number:06d}{quality.segment_suffix}"
        size = {"height": info.height, "width": info.width}
        with segment_writer(path, source=info, quality=quality, first=begin - start, **size, **options) as writer:
            for frame in read_frames(source, begin, end):
                writer.write(frame.image, frame.time, frame.alpha)
        paths.append(path)
    return paths


def copy_in_segments(source, target, bounds, *, quality=None, **options):
    """Write frames of `source` into `target` by way of segments; return the notes."""
    info = probe(source)
    fast = Quality(preset="ultrafast") if target.suffix else Quality()
    quality = (quality or fast).resolved(target, info)
    folder = target.with_name(f"{target.name}.parts")
    folder.mkdir()
    segments = write_segments(source, folder, bounds, quality, info=info, start=bounds[0])
    return join_segments(segments, target, source=info, quality=quality, **options)


def packets(path, kind="video", number=0):
    """Return time, duration (both seconds) and data of every packet of a stream, in the order of decoding."""
    with av.open(str(path)) as container:
        stream = [stream for stream in container.streams if stream.type == kind][number]
        found = [packet for packet in container.demux(stream) if packet.size]
        unit = stream.time_base
        return [(packet.pts * unit, (packet.duration or 0) * unit, bytes(packet)) for packet in found]


def times(path, kind="video", number=0):
    """Return the times of the packets of a stream, in the order shown, in seconds."""
    return sorted(time for time, _, _ in packets(path, kind, number))


def make_rich(path: Path, *, frames: int = 48) -> Path:
    """Write a Matroska file with two languages, subtitles, chapters, a font, a cover and tags."""
    plain = media.make_video(path.with_name("plain.mkv"), frames=frames, audio_tracks=2, audio_seconds=2.5)
    words = path.with_name("words.srt")
    words.write_text(SUBTITLES)
    cover = media.write_image(path.with_name("cover.png"), media.gratings(1, 16, 16)[0])
    with av.open(str(plain)) as film, av.open(str(words)) as text, av.open(str(path), "w") as out:
        streams = {
            stream: out.add_stream_from_template(stream, opaque=True) for stream in [*film.streams, *text.streams]
        }
        _, english, german, subtitle = streams.values()
        english.metadata.update(language="eng", title="Original")
        german.metadata.update(language="ger", title="Kommentar")
        german.disposition = av.stream.Disposition.comment.value
        subtitle.metadata.update(language="eng")
        out.add_attachment("letters.ttf", "font/ttf", b"letters" * 100)
        out.add_attachment("cover.png", "image/png", cover.read_bytes())
        out.metadata.update(title="The film", artist="Somebody", mood="quiet")
        out.set_chapters([_chapter(number, *chapter) for number, chapter in enumerate(CHAPTERS, 1)])
        for packet in [*film.demux(), *text.demux()]:
            if packet.dts is not None:
                packet.stream = streams[packet.stream]
                out.mux(packet)
    for file in (plain, words, cover):
        file.unlink()
    return path


def _chapter(number: int, title: str, start: int, end: int) -> dict:
    return {"id": number, "start": start, "end": end, "time_base": Fraction(1, 1000), "metadata": {"title": title}}
