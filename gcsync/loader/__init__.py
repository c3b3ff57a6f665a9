"""From YAML on disk to frozen manifests, each value with its place.

The way of one document: `source` finds and reads files, `parse` turns their
text into nodes, `project` lays overlays over them and puts variables in,
`schema` gives scalars the type that the schema asks for and says what is
wrong, `secrets` refuses what must not lie in a repository, `build` flattens
the settings, `manifests` does it all and keeps no nodes. `explain` walks the
same way and keeps the layers.
"""
