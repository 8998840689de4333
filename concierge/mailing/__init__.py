"""Mail out: how it is built, queued, carried and reported on."""
