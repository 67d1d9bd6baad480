"""Prepares a resume: finds the job, the finished steps whose effect still exists, and the steps that run again."""
