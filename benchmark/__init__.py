"""Everything that makes a comparison: suites, plan, engine, records, tables."""
