"""The HTTP API: requests with retries, errors for failed responses, and one method for each call.

This subpackage imports only `model`.
"""
