"""What is seen of a run: views, reports, the Ctrl-C menu, and the commands that run something. Imports all rooms."""
