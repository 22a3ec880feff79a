"""``airelays demo``: a relay for people who have no account yet.

It is the real relay in a folder of its own, so that nothing of an installation is touched. The
command's own process is the relay's master. What else it starts ends with it: the guide, which
asks the first question and prints what clients need, and the sandbox where that was asked for.
"""
