"""The account, its clock and ledger, and scheduled events. Imports market/, instances/ and faults/."""
