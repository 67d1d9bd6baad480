"""The HTTP API of the market, as its real clients use it. Reads world/, market/, instances/ and faults/."""
