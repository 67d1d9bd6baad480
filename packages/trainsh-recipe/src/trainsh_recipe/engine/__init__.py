"""Runs a job: its source, its options, its steps, and the checks of a resume. Imports store/ and plan/."""
