"""Whether a machine is what its offer said, and the machines that were not. Imports `rented` and `api`."""
