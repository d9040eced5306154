"""The checks of one lesson a module; `vocabulary` is what they are written with."""
