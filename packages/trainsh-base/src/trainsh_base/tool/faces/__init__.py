"""The two ways to call a tool, called faces: a command line for people and pipes, and JSON-RPC for programs.

Outside of this folder, only the module `program` imports its modules.
"""
