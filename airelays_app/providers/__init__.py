"""One adapter per upstream vendor; the only place that knows vendors."""
