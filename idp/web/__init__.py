"""What every page and endpoint shares: headers, error pages, limits, the hash pool, texts, the way back to the desk."""
