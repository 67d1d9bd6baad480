"""Tools: declared commands, and the faces made from them for people, pipes and programs. May import `system`."""
