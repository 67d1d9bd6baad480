"""Runs a job: its source, its options, its steps, and the checks of a resume.
This subpackage imports store/ and plan/.
"""
