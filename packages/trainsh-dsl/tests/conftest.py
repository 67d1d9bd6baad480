"""Makes the helper modules in this folder importable, no matter how pytest imports the tests themselves."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
