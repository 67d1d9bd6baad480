"""The commands of train-vast. Each module declares some of them.

`cli` imports the modules in the order in which the help lists the commands.
"""
