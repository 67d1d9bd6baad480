"""`train help`: lists the commands, shows help for one, and suggests names for an unknown one."""
