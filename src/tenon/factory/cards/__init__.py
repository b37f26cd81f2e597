"""The cards of the discrete-manufacturing package, one file each."""
