"""Durable and periodic work behind one small interface: jobs, leases and schedules."""
