"""The HTTP API of the market, in the form that its real clients use.

This subpackage imports world/, market/, instances/ and faults/.
"""
