"""Makes the plan, and the graph of it. Imports every other subpackage."""
