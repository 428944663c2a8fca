"""Reports from records alone: tables of what was run, the paper's tables, aggregates over suites."""
