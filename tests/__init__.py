"""The tests, by layer: rules, unit, integration, acceptance."""
