"""Joining legacy systems: connectors, the sync runner, its settings, secrets and egress guard."""
