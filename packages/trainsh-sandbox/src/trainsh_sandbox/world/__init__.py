"""The account, its clock and its ledger, and what happens when. Imports market/, instances/ and faults/."""
