"""The HTTP API: requests with retries, what an error means, one call a function. Imports model alone."""
