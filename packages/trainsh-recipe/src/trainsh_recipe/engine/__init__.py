"""What runs a job: its source, its options, its steps, what holds on a resume. Imports store/ and plan/."""
