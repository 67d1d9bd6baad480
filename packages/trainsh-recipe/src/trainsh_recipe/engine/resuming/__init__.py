"""A resume: which job, which finished steps still have their effect, and which run again."""
