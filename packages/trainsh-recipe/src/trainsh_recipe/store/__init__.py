"""Jobs on disk: folders, locks, the journal and the state it adds up to, step logs, recipes. Imports plan/ only."""
