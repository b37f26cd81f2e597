"""One folder for each kind of connector; none knows another, nor the hub."""
