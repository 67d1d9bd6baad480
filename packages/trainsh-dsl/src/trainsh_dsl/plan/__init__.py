"""Makes the plan, and the graph of the plan.

This subpackage may import every other subpackage.
"""
