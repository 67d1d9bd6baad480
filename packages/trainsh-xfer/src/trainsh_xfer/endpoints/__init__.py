"""Endpoints: as text, as places, as paths here, and what a copy must not do. Imports `model` only."""
