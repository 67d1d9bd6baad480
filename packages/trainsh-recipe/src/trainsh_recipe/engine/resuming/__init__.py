"""Prepares a resume: finds the job, which of its finished steps still have their effect, and which run again."""
