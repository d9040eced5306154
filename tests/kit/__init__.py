"""The kit's modules, in the folders of the kit."""
