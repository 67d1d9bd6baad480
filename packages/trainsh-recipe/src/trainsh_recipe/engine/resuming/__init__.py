"""A resume: which job, what of its finished steps holds, what would be done again."""
