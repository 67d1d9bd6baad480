"""What the grammar cannot see: sessions, hosts, names and rentals across steps. Imports `grammar` and below."""
