"""What a command of an architecture asks for on the command line."""

from typing import NamedTuple


class Argument(NamedTuple):
    """One option; its name without dashes is the keyword it is passed on as."""

    help: str
    metavar: str = "FILE"
    required: bool = True
