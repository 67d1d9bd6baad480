"""The HTTP API of the market, as its real clients use it. Imports world/, market/, instances/ and faults/."""
