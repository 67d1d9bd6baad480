"""Offers: which there are, what they cost, how they move and how a search finds them. Imports nothing of ours."""
