"""Show and measure what restoring did to a clip."""

from .comparison import Comparison, compare
from .plot import plot
from .profile import Profile
from .rating import Rating
from .sheet import richest_crop, write_comparison
from .table import table
from .view import VIEWS

__all__ = ["VIEWS", "Comparison", "Profile", "Rating", "compare", "plot", "richest_crop", "table", "write_comparison"]
