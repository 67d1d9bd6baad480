"""The HTTP API: requests with retries, the meaning of errors, and one method for each call.

This subpackage imports only `model`.
"""
