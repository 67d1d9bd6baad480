"""The fixture `colab`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from colab_world import colab

__all__ = ["colab"]
