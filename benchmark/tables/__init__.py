"""Tables: results as data, and what they look like in each format."""
