"""Durable and periodic work behind one small interface: leases and schedules."""
