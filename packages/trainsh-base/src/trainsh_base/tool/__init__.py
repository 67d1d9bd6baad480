"""A tool: its declarations, and the faces made from them for people, pipes and programs. May import `system`."""
