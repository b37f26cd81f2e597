"""HTTP: routes by resource, thin over the rooms below."""
