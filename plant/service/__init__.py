"""The plant as running processes: the CRM over HTTP and the plant living on at a pace."""
