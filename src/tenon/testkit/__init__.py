"""What others may use to test: the connector conformance suite."""
