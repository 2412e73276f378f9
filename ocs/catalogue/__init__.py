"""The item catalogue: what OCS sells, and what is odd about a line in its light."""
