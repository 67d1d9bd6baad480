"""Jobs on disk: folders, locks, journals and the state read from them, step logs, recipes. Imports plan/ only."""
