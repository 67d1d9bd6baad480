"""Adding and changing hosts: from flags, pasted text, questions or an editor. May import `ways` and `store`."""
