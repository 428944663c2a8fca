"""Reports from records and plans: tables of what was run, the paper's tables, aggregates over suites."""
