"""Data quality: rules and code tables, files looked at, and the scorecard of what is stored."""
