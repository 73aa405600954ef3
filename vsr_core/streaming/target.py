"""What results are called where nobody says it."""

from ..video import CODECS, VideoInfo

USUAL, USUAL_WITH_ALPHA = ".mp4", ".mov"


def usual_suffix(codec: str | None, source: VideoInfo) -> str:
    """Return the ending of a file for `codec`; for None one whose usual codec keeps the source's transparency."""
    if codec is None:
        return USUAL_WITH_ALPHA if source.has_alpha else USUAL
    return CODECS[codec].suffixes[0]
