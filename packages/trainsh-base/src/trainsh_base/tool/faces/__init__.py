"""The faces of a tool: a command line for people and pipes, JSON-RPC for programs. Only `program` imports them."""
