"""The tracking plan: kept and published, compared with what arrives."""
