"""Paceline beside others that do the same work: the same input, the same API, the same machine, in turns."""
