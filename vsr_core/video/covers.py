"""Carry over covers (single pictures that stand for the whole file) and attached files, such as fonts."""

from collections.abc import Iterable

from .labels import copy_labels

NAMES = {"mjpeg": ("cover.jpg", "image/jpeg"), "png": ("cover.png", "image/png")}
"""What a cover is called where it is an attached file, by its codec."""


def add_attachments(streams: Iterable, output) -> None:
    """Attach the files that are `streams` of another container."""
    for stream in streams:
        output.add_attachment(stream.name or f"attachment_{stream.index}", stream.mimetype or "", stream.data)


def add_covers(streams: Iterable, output, *, as_files: bool) -> list:
    """Add the covers that are `streams` of another container to `output`; return packets that must be muxed.

    `as_files` attaches them, as Matroska wants it. The file is opened once more, because reading a cover moves on.
    """
    import av

    packets = []
    for stream in streams:
        with av.open(stream.container.name) as container:
            cover = container.streams[stream.index]
            packet = next(container.demux(cover))
            if as_files:
                name, kind = NAMES.get(cover.codec_context.name, ("cover", "application/octet-stream"))
                output.add_attachment(cover.metadata.get("filename", name), kind, bytes(packet))
            else:
                packet.stream = output.add_stream_from_template(cover, opaque=True)
                copy_labels(cover, packet.stream)
                packets.append(packet)
    return packets
