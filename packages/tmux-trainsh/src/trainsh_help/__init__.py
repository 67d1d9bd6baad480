"""`train help`: lists the commands, shows the help of a command, and suggests names for an unknown command."""
