"""Adding and changing hosts: flags, pasted text, questions, an editor. May import `ways` and `store`."""
