"""What clients and upstreams speak: one decoder and one encoder each."""
