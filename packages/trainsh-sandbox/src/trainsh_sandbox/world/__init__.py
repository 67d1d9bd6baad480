"""The account, its clock and ledger, and scheduled events.

This subpackage imports market/, instances/ and faults/.
"""
