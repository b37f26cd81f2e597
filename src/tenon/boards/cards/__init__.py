"""Cards every board may use, one file each."""
