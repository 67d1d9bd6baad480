"""Makes the plan, and the graph drawn from it. Imports every other subpackage."""
