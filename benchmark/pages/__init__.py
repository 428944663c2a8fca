"""The documentation's pages of suites, generated from the code and from recorded measurements."""
