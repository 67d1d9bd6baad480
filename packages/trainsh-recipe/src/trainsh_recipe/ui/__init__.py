"""Views, reports, the Ctrl-C menu, and the commands that run something. Imports all subpackages."""
