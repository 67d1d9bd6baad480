"""The HTTP API: requests with retries, the meaning of errors, and one method per call. Imports `model` only."""
