"""What is seen of a run: views, reports, the Ctrl-C menu, the commands that run something. Imports all rooms."""
