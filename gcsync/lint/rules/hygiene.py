"""GC8: what keeps manifests readable and findable; GC9: allowances."""
