"""What a learner may do to a kernel, a disk or a network; nothing may be left behind."""
