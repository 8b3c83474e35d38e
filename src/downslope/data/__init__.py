"""The data floor: what a network learns from. NumPy only; it knows nothing of networks."""

from downslope.data.builtin import BUILT_IN, BuiltIn
from downslope.data.checks.findings import DataFinding
from downslope.data.dataset import Dataset, Samples, Task
from downslope.data.density import density_map
from downslope.data.load import load, read
from downslope.data.photos import fitted_size, photo_size, read_photo, working_side
from downslope.data.scaling import Scaling
from downslope.data.unsplit import Unsplit

__all__ = [
    "BUILT_IN",
    "BuiltIn",
    "DataFinding",
    "Dataset",
    "Samples",
    "Scaling",
    "Task",
    "Unsplit",
    "density_map",
    "fitted_size",
    "load",
    "photo_size",
    "read",
    "read_photo",
    "working_side",
]
