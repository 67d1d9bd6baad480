"""The two ways to call a tool: a command line for people and pipes, and JSON-RPC for programs.

Of the modules outside this folder, only `program` imports those in it."""
