"""Networks of the suites, one file a backbone."""
