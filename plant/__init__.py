"""The simulated metal-stamping plant that fills four legacy systems and knows the truth."""
