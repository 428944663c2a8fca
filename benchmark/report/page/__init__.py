"""The report page: one HTML file that opens offline."""
