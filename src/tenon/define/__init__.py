"""Definition models, their versions, plan and publish, packages."""
