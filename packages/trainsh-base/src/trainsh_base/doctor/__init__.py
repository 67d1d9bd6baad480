"""The checks of `train doctor`: what this machine lacks, and the fix for each."""
