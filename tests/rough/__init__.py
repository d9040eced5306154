"""Rough handling of a kernel, a disk or a network by a learner; nothing may be left behind."""
