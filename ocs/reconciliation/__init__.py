"""What the Data Platform holds against what we sent, and what that says about meanings that are still open."""
