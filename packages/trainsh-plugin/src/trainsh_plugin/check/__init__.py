"""The contract, held against a tool that runs."""
