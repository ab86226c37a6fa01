"""Sources that are read: settings, schedule, runs, drift of columns."""
